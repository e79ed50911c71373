from concurrent.futures import ThreadPoolExecutor

import torch

from shopguide.models.threads import own_threads


def test_only_the_thread_that_asks_is_changed() -> None:
    usual = torch.get_num_threads()

    def settled() -> tuple[int, int]:
        own_threads(usual + 1)
        first = torch.get_num_threads()
        torch.ones(1 << 20).sum()
        return first, torch.get_num_threads()

    with ThreadPoolExecutor(1) as one:
        assert one.submit(settled).result() == (usual + 1, usual + 1)
    assert torch.get_num_threads() == usual
    with ThreadPoolExecutor(1) as another:
        assert another.submit(torch.get_num_threads).result() == usual
