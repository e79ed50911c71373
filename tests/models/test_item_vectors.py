import torch
from torch.nn.functional import normalize

from shopguide.models.item_vectors import ItemVectors


def test_a_product_is_its_text_and_what_is_learnt_of_it() -> None:
    own = ItemVectors(5, 3, 10.0)
    texts, rows = normalize(torch.randn(2, 3), dim=-1), torch.tensor([4, 0])
    torch.testing.assert_close(own(texts, rows), texts)
    with torch.no_grad():
        own.weight[4] = torch.tensor([0.1, 0.0, -0.2])
    expected = torch.stack([normalize(texts[0] + torch.tensor([1.0, 0.0, -2.0]), dim=-1), texts[1]])
    torch.testing.assert_close(own(texts, rows), expected)
