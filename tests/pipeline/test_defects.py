from __future__ import annotations
from pipeline.world import *
from outsmart_sync.store.tables import *


def test_d1_preview_reads_outsmart_but_first_run_reads_again(world):
    world.account("100", Name="A")
    world.relation_by_hand("100", name="A")
    world.sync("relations", preview=True)
    world.relation_by_hand("100", name="edited")
    world.sync("relations")
    assert world.outsmart("relations")["100"]["name"] == "A"


def test_d4_left_item_whose_price_changes_stays_left(world):
    i = world.item("A1")
    p = world.price(i, 5)
    world.counts("materials")
    world.change("logistics/Items", i, IsTime=1)
    assert world.counts("materials").excluded == 1
    world.change("logistics/SalesItemPrices", p, Price=9)
    c = world.counts("materials")
    assert world.states("material")["A1"] == ("excluded", "not_for_sale"), c
    assert world.outsmart("materials")["A1"]["price"] == "5,00"


def test_d4b_left_rules(world):
    a = world.account("100")
    d = world.address(a)
    world.counts("relations")
    world.change("crm/Addresses", d, Type=1)
    world.counts("relations")
    world.settings(relations={"types": ["customer", "supplier"]})
    world.counts("relations")
    (row,) = world.rows(mirror, record="address")
    assert row.state == "excluded"


def test_d5_touched_duplicate_stays_held(world):
    world.item("ab")
    b = world.item("AB")
    assert world.counts("materials").held == 2
    world.touch("logistics/Items", b)
    assert world.counts("materials").held == 1
    assert world.outsmart("materials") == {}


def test_d5b_duplicate_goes_once_other_gone(world):
    a = world.item("ab")
    b = world.item("AB")
    assert world.counts("materials").held == 2
    world.change("logistics/Items", a, Code="other")
    world.counts("materials")
    world.counts("materials")
    assert set(world.outsmart("materials")) == {"other", "AB"}


def test_d6_recreated_between_runs(world):
    a = world.item("X1", Description="old")
    world.counts("materials")
    world.delete("logistics/Items", a)
    world.item("X1", Description="new")
    c = world.counts("materials")
    assert world.outsmart("materials")["X1"]["description"] == "new", (c, world.states("material"))
    assert world.kept("material", "X1").source_gone_at is None


def test_d7_child_moves(world):
    a = world.account("100")
    b = world.account("200")
    k = world.contact(a)
    world.counts("relations")
    world.change("crm/Contacts", k, Account=b)
    c = world.counts("relations")
    assert [r["cpn_debtor_nr"] for r in world.outsmart("contactpersons").values()] == ["200"], c


def test_d7b_child_moved_in_outsmart(world):
    a = world.account("100")
    b = world.account("200")
    k = world.contact(a)
    world.counts("relations")
    (code,) = world.outsmart("contactpersons")
    world.by_hand("contactpersons", cpn_code=code, cpn_debtor_nr="200")
    c = world.counts("relations", full=True)
    assert [r["cpn_debtor_nr"] for r in world.outsmart("contactpersons").values()] == ["100"], c


def test_d8_linked_never_delivered_code_change(world):
    a = world.account("100", City=None)
    world.relation_by_hand("100", city="")
    assert world.counts("relations").rejected == 1
    world.change("crm/Accounts", a, Code="200", City="Delft")
    c = world.counts("relations")
    assert world.outsmart("relations")["100"]["name"] == "By hand 100", c


def test_d9_validity_kept_up(world):
    g = world.group("G1")
    h = world.group("G2")
    i = world.item("A1", ItemGroup=g)
    world.settings(materials={"item_groups": ["G2"]})
    assert world.counts("materials").excluded == 1
    world.change("logistics/Items", i, EndDate=day(world.work_day(-2)))
    world.counts("materials")
    world.settings(materials={"item_groups": ["G1"]})
    c = world.counts("materials")
    assert world.outsmart("materials") == {}, c


def test_d11_twins_in_outsmart(world):
    world.item("abc")
    world.counts("materials")
    world.material_by_hand("ABC", description="hand")
    world.counts("materials", full=True)
    assert world.kept("material", "abc").provider_id
    assert not world.kept("material", "ABC").provider_id


def test_d11b_full_writes_nothing(world):
    a = world.account("100")
    world.contact(a)
    i = world.item("A1")
    world.price(i, 5)
    world.sync()
    before = world.everything()
    world.sync(full=True)
    assert world.everything() == before


def test_d12_detail(world):
    a = world.account("100", Name="x" * 10, Remarks="y" * 100)
    world.contact(a)
    world.control.add_fault(
        "status",
        vendor="outsmart",
        path="relations",
        method="POST",
        status=200,
        body={"code": 1300, "messages": ["No"], "response": None},
    )
    c = world.counts("relations")
    assert c.waiting == 1
    (row,) = world.rows(mirror, record="contact_person")
    assert row.detail == "100"


def test_d15_price_moves(world):
    i = world.item("A")
    j = world.item("B")
    p = world.price(i, 5)
    world.counts("materials")
    world.change("logistics/SalesItemPrices", p, Item=j)
    world.counts("materials")
    assert world.kept("material", "B").payload.count('"price":"5"') == 1
    assert '"price"' not in world.kept("material", "A").payload
