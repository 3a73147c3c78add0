"""The filter by classification of relations: typed as codes, found by what each account refers to."""

from __future__ import annotations

from pipeline.world import World

RELATIONS = "relations"
LIST = "AccountClassifications"


def classified(world: World) -> str:
    """Three relations: of the first classification A and B, and of the second one A; returns the id of the first A."""
    business, private = world.classification("A", "Business"), world.classification("B", "Private")
    north = world.classification("A", "North")
    world.account("100", Classification1=business)
    world.account("200", Classification1=private, Classification2=north)
    world.account("300")
    return business


def test_without_a_choice_all_come(world: World) -> None:
    classified(world)
    assert world.counts(RELATIONS).created == 3


def test_only_relations_of_a_chosen_classification_come(world: World) -> None:
    classified(world)
    world.settings(relations={"classifications": ["B"]})
    counts = world.counts(RELATIONS)
    assert (counts.created, counts.excluded) == (1, 2)
    assert set(world.outsmart("relations")) == {"200"}
    assert world.states("relation")["100"] == ("excluded", "class_not_chosen")


def test_a_code_that_two_classifications_use_means_both_unless_its_place_is_named(world: World) -> None:
    classified(world)
    world.settings(relations={"classifications": ["A"]})
    world.counts(RELATIONS)
    assert set(world.outsmart("relations")) == {"100", "200"}
    world.remove_by_hand("relations", "200")
    world.settings(relations={"classifications": ["1:A"]})
    assert world.counts(RELATIONS, full=True).excluded == 2


def test_another_choice_takes_effect_from_what_is_known_without_reading_exact(world: World) -> None:
    classified(world)
    world.settings(relations={"classifications": ["B"]})
    world.counts(RELATIONS)
    world.settings(relations={"classifications": ["B", "1:A"]})
    world.forget_calls()
    assert world.counts(RELATIONS).created == 1
    assert world.reads(path=LIST) == []


def test_the_list_is_read_once_and_only_if_a_relation_that_is_read_refers_to_it(world: World) -> None:
    world.account("400")
    world.counts(RELATIONS)
    assert world.reads(path=LIST) == []
    classified(world)
    world.counts(RELATIONS)
    assert len(world.reads(path=LIST)) == 1


def test_relations_that_are_looked_up_by_code_are_judged_by_it_too(world: World) -> None:
    classified(world)
    world.settings(relations={"classifications": ["B"]})
    counts = world.counts(RELATIONS, codes=("100", "200"))
    assert (counts.excluded, counts.created) == (1, 1)


def test_a_relation_that_is_classified_otherwise_is_left_alone_in_outsmart(world: World) -> None:
    business = classified(world)
    world.settings(relations={"classifications": ["B"]})
    world.counts(RELATIONS)
    account = world.kept("relation", "200").provider_id
    world.change("crm/Accounts", account, Classification1=business, Name="Other")
    assert world.counts(RELATIONS).excluded == 1
    assert world.outsmart("relations")["200"]["name"] == "Customer 200"
