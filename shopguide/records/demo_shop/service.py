"""What shoppers of the demo shop write to its service: messages with an intent, questions on products, the shop's FAQ.

A message's words are drawn given its intent; some are said with two of them, so that nobody can always tell.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from shopguide.records.demo_shop.catalogue import ERRORS, Product
from shopguide.records.demo_shop.reviews import FITS
from shopguide.records.demo_shop.taxonomy import COLOURS, LANGUAGES, MATERIALS

ABOUT_A_PRODUCT = "product_question"
SHARE_OF_MESSAGES = 0.6
ORDER = "{order}"


@dataclass(frozen=True)
class Matter:
    """What the service is asked for, and the shop's answer to it."""

    intent: str
    phrases: dict[str, tuple[str, ...]]
    """Language → what is said; the first one is the FAQ's question. `{order}` stands for an order's number."""
    answer: dict[str, str]


@dataclass(frozen=True)
class Dialogue:
    """A row of the shop's dialogues, and the intent that a perfect reader would give."""

    row: Mapping[str, object]
    best: str


def _matter(intent: str, en: str, zh: str, answer_en: str, answer_zh: str) -> Matter:
    said = {"en": tuple(en.split("|")), "zh": tuple(zh.split("|"))}
    return Matter(intent, said, {"en": answer_en, "zh": answer_zh})


MATTERS = (
    _matter(
        "track_order",
        "where is my order {order}|has {order} been shipped|when will my parcel come|track order {order}"
        "|my order is late|it still has not arrived",
        "订单{order}到哪了|{order}发货了吗|快递什么时候到|查一下物流{order}|怎么还没收到|一直没到货",
        "Orders leave our warehouse within a day and arrive in two to four days; the tracking link is in your order.",
        "订单当天出库，二到四天送达，物流信息在订单详情里查看。",
    ),
    _matter(
        "cancel_order",
        "how do I cancel an order|cancel order {order}|I ordered by mistake|please stop {order} before it ships"
        "|I do not want {order} any more|forget the order",
        "怎么取消订单|取消订单{order}|拍错了|{order}先别发货|不想要{order}了|帮我撤单",
        "An order that has not left can be cancelled in your account under orders; the money is back within a day.",
        "未出库的订单可以在我的订单里取消，款项一天内退回。",
    ),
    _matter(
        "return_item",
        "how can I return something|I want to send {order} back|it does not fit me|can I exchange it for another size"
        "|return label for {order}|I do not want it any more",
        "怎么退货|{order}想退货|尺码不合适|可以换货吗|{order}退货地址|不想要了",
        "You may return unused goods within seven days: print the label in your account, take the parcel to any shop.",
        "七天内未使用可退换，在账户里打印退货单，交给任意快递网点即可。",
    ),
    _matter(
        "refund_status",
        "when do I get my money back|refund for {order}|the refund has not come|I sent it back a week ago"
        "|how long does a refund take|it still has not arrived",
        "退款什么时候到账|{order}的退款|退款还没到|一周前就寄回去了|退款要多久|一直没到账",
        "Refunds are paid back the way you paid, within three days after your parcel has reached us.",
        "收到退回的商品后三天内原路退款。",
    ),
    _matter(
        "payment_problem",
        "which cards do you take|my payment failed|I was charged twice for {order}|the card is refused"
        "|cannot pay at checkout|is there a discount code problem",
        "支持哪些付款方式|付款失败|{order}扣了两次钱|银行卡付不了|结账页面打不开|优惠码用不了",
        "We take cards, Alipay and WeChat Pay. What fails is not charged; double charges are undone in a day.",
        "支持银行卡、支付宝和微信支付。支付失败不会扣款，重复扣款一天内退回。",
    ),
    _matter(
        "change_address",
        "can I change the delivery address|wrong address on {order}|I have moved|send {order} to my office instead"
        "|new phone number for the delivery|deliver it to a neighbour",
        "能改收货地址吗|{order}地址填错了|我搬家了|{order}改寄到公司|换个收货电话|放邻居家",
        "Until the parcel leaves, change it in your account; afterwards, tell the courier by the tracking link.",
        "出库前可在账户里修改地址，出库后请通过物流链接联系快递。",
    ),
    _matter(
        "damaged_item",
        "what if something arrives broken|{order} arrived broken|a part is missing|the box was crushed"
        "|it stopped working after a day|you sent the wrong colour",
        "收到坏的怎么办|{order}收到是坏的|少了配件|包装压坏了|用了一天就坏了|颜色发错了",
        "We are sorry. Send us a photo within two days and we replace it at no cost.",
        "非常抱歉，两天内发来照片，我们免费补发。",
    ),
    _matter(
        "talk_to_person",
        "can I talk to a person|human please|get me an agent|call me back|I want to complain|your bot is useless",
        "转人工|人工客服|找个真人|给我回电话|我要投诉|机器人没用",
        "Of course. A colleague takes over now; we answer from 9 to 21 every day.",
        "好的，马上为您转接人工客服，服务时间每天九点到二十一点。",
    ),
)  # fmt: skip
OPENERS = {"en": ("", "", "", "hi, ", "hello ", "hey, "), "zh": ("", "", "", "你好，", "在吗，", "亲，")}
CLOSERS = {"en": ("", "", "", " please", " thanks", " asap"), "zh": ("", "", "", "，谢谢", "，急", "，麻烦快点")}
QUESTIONS = {
    "colour": {
        "en": "what colour is it|which colour is this one|tell me the colour please|what is its colour"
        "|the colour on the picture is hard to see|colour of this one",
        "zh": "这是什么颜色|颜色是哪种|请问什么颜色|颜色是什么样的|具体是哪个颜色|什么颜色的呀",
    },
    "material": {
        "en": "what is it made of|which material is it|what material is used|tell me the material"
        "|is it made of something good|made of which material",
        "zh": "是什么材质的|用什么材料做的|材质是什么|请问材质|什么材料的|材质是哪种",
    },
    "brand": {
        "en": "which brand is it|who makes it|what brand is this|tell me the brand|brand of this one|whose brand is it",
        "zh": "什么牌子的|是哪个品牌|请问品牌|品牌是什么|哪个牌子|牌子是哪家的",
    },
    "fit": {
        "en": "does it run small|how is the size|is it true to size|does the size run large|is the size as expected"
        "|should I take my usual size",
        "zh": "偏小吗|尺寸准吗|偏大还是偏小|大小怎么样|尺寸正好吗|大小合适吗",
    },
}


def make_dialogues(products: Sequence[Product], count: int, seed: int) -> Iterator[Dialogue]:
    """The FAQ, which is short, then `count` messages and questions on products; each depends on the seed and its number
    alone.
    """
    for matter in MATTERS:
        for language in LANGUAGES:
            question = _plain(matter.phrases[language][0])
            row = {"question": question, "answer": matter.answer[language], "intent": matter.intent}
            yield Dialogue(row, matter.intent)
    for number in range(count):
        draw = random.Random(f"dialogue {seed} {number}")
        if draw.random() < SHARE_OF_MESSAGES:
            yield _message(draw)
        else:
            yield _question(draw.choice(products), draw)


def _message(draw: random.Random) -> Dialogue:
    matter, language = draw.choice(MATTERS), draw.choice(LANGUAGES)
    phrase = draw.choice(matter.phrases[language])
    best = next(other.intent for other in MATTERS if phrase in other.phrases[language])
    said = phrase.replace(ORDER, str(draw.randint(10_000, 99_999)))
    text = draw.choice(OPENERS[language]) + said + draw.choice(CLOSERS[language])
    others = [other.intent for other in MATTERS if other is not matter]
    intent = draw.choice(others) if draw.random() < ERRORS else matter.intent
    return Dialogue({"question": text, "intent": intent}, best)


def _question(product: Product, draw: random.Random) -> Dialogue:
    name, language = draw.choice(list(QUESTIONS)), draw.choice(LANGUAGES)
    answer = _answer(product, name, language)
    question = draw.choice(QUESTIONS[name][language].split("|"))
    row = {"question": question, "answer": answer, "item_id": product.item_id, "intent": ABOUT_A_PRODUCT}
    return Dialogue(row, ABOUT_A_PRODUCT)


def _answer(product: Product, name: str, language: str) -> str:
    chinese = language == "zh"
    if name == "fit":
        return f"{FITS[product.fit][language][0]}{'。' if chinese else '.'}"
    value = product.true[name]
    if name == "brand":
        return f"品牌是{value}。" if chinese else f"It is made by {value}."
    shown = {"colour": COLOURS.get(value, (value, value))[1], "material": MATERIALS.get(value, value)}
    return f"是{shown[name]}。" if chinese else f"It is {value}."


def _plain(phrase: str) -> str:
    return " ".join(phrase.replace(ORDER, "").split())
