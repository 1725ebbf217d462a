"""What is counted is work and waiting, and a count that grows is seen."""

import pytest
import torch

from benchmarks.count import Count, Operators, counted, holds
from benchmarks.workload import Workload


def count(call):
    with Operators() as seen:
        call()
    return seen.kernels, seen.syncs


def test_views_and_allocations_are_no_kernels():
    x = torch.ones(4, 4)
    assert count(lambda: x.view(16).t().unsqueeze(0).expand(3, 16).detach()) == (0, 0)
    assert count(lambda: torch.empty(3)) == (0, 0)
    assert count(lambda: x.add(1).mul_(2)) == (2, 0)


@pytest.mark.parametrize("wait", [torch.Tensor.item, torch.Tensor.nonzero, bool])
def test_waiting_for_a_number_is_a_sync(wait):
    assert count(lambda: wait(torch.ones(1)))[1] == 1


def test_a_mask_waits_for_its_size_and_rows_do_not():
    x = torch.ones(4)
    assert count(lambda: x[torch.arange(2)])[1] == 0
    assert count(lambda: x[x > 0])[1] == 1


@pytest.mark.parametrize("name", ["mlp-w8", "mlp-w8-gp", "dc8-w4"])
def test_neither_kernels_nor_syncs_grow_with_k(name):
    found = {k: counted(Workload.of(name), k, "eager") for k in (1, 2, 5)}
    assert holds(found) == (False, False)
    assert 50 < found[5].kernels[0] < 300 and found[5].refill > 0


def test_every_distinct_round_of_a_schedule_is_counted():
    assert len(counted(Workload.of("resnet-w2"), 2, "eager").kernels) == 2


def test_growth_and_syncs_are_told():
    flat, more = Count((10,), 5, 0), Count((12,), 5, 0)
    assert holds({2: flat, 8: more}) == (True, False)
    assert holds({1: more, 2: flat, 8: flat}) == (False, False)
    assert holds({2: Count((10,), 5, 1)}) == (False, True)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")  # inductor's own
def test_a_compiled_step_has_fewer_kernels():
    small = Workload.of("mlp-w8")
    eager, fused = (counted(small, 2, form).kernels[0] for form in ("eager", "compiled"))
    assert 20 < fused < eager
