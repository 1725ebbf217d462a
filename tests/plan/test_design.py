from ablate.plan.design import DESIGNS, Arm, leave_one_out, one_at_a_time


def test_one_at_a_time_adds_each_trick_to_what_is_always_on():
    assert one_at_a_time(["a", "b"], ["z"]) == [
        Arm("reference", ("z",)),
        Arm("with a", ("z", "a")),
        Arm("with b", ("z", "b")),
    ]


def test_leave_one_out_takes_each_trick_from_all():
    assert leave_one_out(["a", "b"], ["z"]) == [
        Arm("reference", ("z", "a", "b")),
        Arm("without a", ("z", "b")),
        Arm("without b", ("z", "a")),
    ]


def test_the_reference_comes_first_in_every_design():
    for design in DESIGNS.values():
        assert design(["a"], [])[0].name == "reference"
