"""The filter by classification of relations."""

from __future__ import annotations

from pipeline.world import World

RELATIONS = "relations"


def classified(world: World) -> tuple[str, str]:
    """Three relations, of which one is a business and one is private; returns the ids of the two classifications."""
    business, private = world.classification("A", "Business"), world.classification("B", "Private")
    world.account("100", Classification1=business)
    world.account("200", Classification1=private, Classification2=world.classification("C", "North"))
    world.account("300")
    return business, private


def test_without_a_choice_all_come(world: World) -> None:
    classified(world)
    assert world.counts(RELATIONS).created == 3


def test_only_relations_of_a_chosen_classification_come(world: World) -> None:
    _, private = classified(world)
    world.settings(relations={"classifications": [private]})
    counts = world.counts(RELATIONS)
    assert (counts.created, counts.excluded) == (1, 2)
    assert set(world.outsmart("relations")) == {"200"}
    assert world.states("relation")["100"] == ("excluded", "classification_not_chosen")


def test_another_choice_takes_effect_from_what_is_known_without_reading_exact(world: World) -> None:
    business, private = classified(world)
    world.settings(relations={"classifications": [private]})
    world.counts(RELATIONS)
    world.settings(relations={"classifications": [private, business]})
    world.forget_calls()
    assert world.counts(RELATIONS).created == 1
    assert len(world.reads()) == 4  # accounts, contacts, addresses and deletions since the last run


def test_relations_that_are_looked_up_by_code_are_judged_by_it_too(world: World) -> None:
    _, private = classified(world)
    world.settings(relations={"classifications": [private]})
    counts = world.counts(RELATIONS, codes=("100", "200"))
    assert (counts.excluded, counts.created) == (1, 1)


def test_a_relation_that_is_classified_otherwise_is_left_alone_in_outsmart(world: World) -> None:
    business, private = classified(world)
    world.settings(relations={"classifications": [private]})
    world.counts(RELATIONS)
    account = world.kept("relation", "200").provider_id
    world.change("crm/Accounts", account, Classification1=business, Name="Other")
    assert world.counts(RELATIONS).excluded == 1
    assert world.outsmart("relations")["200"]["name"] == "Customer 200"
