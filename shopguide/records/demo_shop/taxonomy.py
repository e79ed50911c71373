"""What the demo shop sells: categories with the words that people use for them, in English and Chinese.

Words stand in order of how often they are said: the first ones are common, the last ones rare. Some words serve several
categories, as in life. Brands and series are invented.
"""

from dataclasses import dataclass

LANGUAGES = ("en", "zh")
Words = dict[str, tuple[str, ...]]
"""Language → words."""


@dataclass(frozen=True)
class Category:
    """A leaf of the shop's tree."""

    path: str
    nouns: Words
    uses: Words
    """What it is for: what people type who do not know the noun, and what descriptions say."""
    materials: tuple[str, ...]
    price: float
    """Of a middling product."""

    @property
    def department(self) -> str:
        """First level of the path."""
        return self.path.split("/")[0]


def _category(path: str, price: float, materials: str, en: str, zh: str, en_uses: str, zh_uses: str) -> Category:
    def cut(text: str) -> tuple[str, ...]:
        return tuple(text.split("|"))

    nouns, uses = {"en": cut(en), "zh": cut(zh)}, {"en": cut(en_uses), "zh": cut(zh_uses)}
    return Category(path, nouns, uses, cut(materials), price)


CATEGORIES = (
    _category("electronics/smartphone", 2400, "aluminium|glass|plastic",
              "phone|smartphone|mobile phone|cell phone|handset|5g phone|dual sim mobile|cellphone",
              "手机|智能手机|5G手机|移动电话|全面屏手机|拍照手机|老人机|千元机",
              "for night photos|long battery for travel|to call grandma|fast mobile gaming|video calls on the go",
              "拍夜景清晰|续航两天|打游戏不卡|给爸妈打视频|出差双卡双待"),
    _category("electronics/laptop", 4800, "aluminium|magnesium alloy|plastic",
              "laptop|notebook|ultrabook|notebook computer|portable computer|gaming laptop|student laptop",
              "笔记本|笔记本电脑|手提电脑|轻薄本|游戏本|超极本|学生电脑",
              "for writing a thesis|light for business trips|video editing on the go|coding at university|"
              "for online classes",
              "写论文办公|出差轻便|剪视频流畅|大学生编程|上网课用"),
    _category("electronics/tablet", 1700, "aluminium|glass|plastic",
              "tablet|pad|drawing tablet|tablet computer|reading tablet|kids tablet",
              "平板|平板电脑|学习平板|绘画平板|pad|阅读平板",
              "for drawing with a pen|to read comics in bed|watch series on the train|kids learning at home",
              "用笔画画|躺着追剧|看电子书|孩子在家学习"),
    _category("electronics/headphones", 380, "plastic|aluminium|leather",
              "headphones|earbuds|earphones|headset|wireless earbuds|noise cancelling headphones|in-ears|cans",
              "耳机|蓝牙耳机|降噪耳机|头戴式耳机|入耳式耳机|耳麦|耳塞式耳机",
              "quiet on the plane|for running with music|deep bass|calls in a noisy office|sleep with music",
              "地铁降噪|跑步听歌|重低音|办公室开会|睡觉戴着不疼"),
    _category("electronics/smartwatch", 900, "aluminium|silicone|steel",
              "smartwatch|fitness watch|smart watch|fitness tracker|sports watch|activity band",
              "智能手表|运动手表|手环|智能手环|电话手表|健身手环",
              "count my steps|heart rate while training|track my sleep|gps for swimming",
              "测心率睡眠|记录步数|游泳防水定位|跑步计时"),
    _category("electronics/camera", 3600, "magnesium alloy|plastic|aluminium",
              "camera|mirrorless camera|digital camera|dslr|compact camera|vlog camera|action cam",
              "相机|数码相机|微单|单反|卡片机|运动相机|vlog相机",
              "for wildlife pictures|to film my travels|portraits with blur|record skiing",
              "拍人像虚化|旅行拍视频|拍鸟远摄|记录滑雪"),
    _category("clothing/dress", 260, "cotton|silk|polyester|linen",
              "dress|summer dress|gown|midi dress|maxi dress|evening dress|sundress|frock",
              "连衣裙|裙子|长裙|碎花裙|晚礼服|吊带裙|茶歇裙|半身长裙",
              "for a garden wedding|to wear at the office|beach holiday|date night look",
              "参加婚礼穿|上班通勤|海边度假|约会显瘦"),
    _category("clothing/jacket", 420, "nylon|polyester|wool|leather",
              "jacket|coat|windbreaker|parka|outdoor jacket|rain jacket|anorak|shell",
              "外套|夹克|冲锋衣|风衣|大衣|羽绒服|皮肤衣",
              "keeps the rain out|warm in deep winter|windproof cycling|for mountain storms",
              "防风防雨|零下保暖|骑车挡风|爬雪山穿"),
    _category("clothing/t_shirt", 90, "cotton|polyester|linen",
              "t-shirt|tee|tshirt|short sleeve top|graphic tee|undershirt|crew neck",
              "T恤|短袖|打底衫|体恤|半袖|文化衫|圆领衫",
              "cool in summer heat|plain to layer|sweat free gym|oversized street style",
              "夏天透气|百搭打底|健身吸汗|宽松街头风"),
    _category("clothing/jeans", 210, "denim|cotton|elastane",
              "jeans|denim pants|skinny jeans|denim trousers|straight jeans|blue pants",
              "牛仔裤|裤子|小脚裤|直筒裤|阔腿牛仔裤|丹宁裤",
              "make legs look long|stretch all day|ripped festival look|high waist fit",
              "显腿长|弹力不勒|破洞潮流|高腰收腹"),
    _category("clothing/underwear", 70, "cotton|silk|modal|elastane",
              "underwear|boxers|briefs|panties|lingerie|undies|knickers",
              "内裤|内衣|平角裤|三角裤|文胸|贴身衣物",
              "soft on the skin|no visible lines|breathes all day|seamless under dress",
              "亲肤无痕|透气抑菌|裸感舒适|不卡裆"),
    _category("shoes/hiking_boots", 560, "leather|rubber|nylon|suede",
              "hiking boots|boots|trekking shoes|walking boots|mountain boots|trail boots|hikers",
              "登山鞋|徒步鞋|户外鞋|登山靴|越野靴|爬山鞋",
              "for long hikes|grip on wet rocks|ankle support on mountains|cross muddy trails",
              "爬山穿的|徒步防滑|防水走泥路|保护脚踝的"),
    _category("shoes/running_shoes", 430, "mesh|rubber|knit|foam",
              "running shoes|sneakers|trainers|joggers|marathon shoes|runners|jogging shoes",
              "跑鞋|跑步鞋|运动鞋|球鞋|慢跑鞋|马拉松鞋|竞速鞋",
              "for my first marathon|cushion for bad knees|daily jogging|light on the treadmill",
              "跑马拉松穿|减震护膝|晨跑轻便|跑步机上用"),
    _category("shoes/casual_shoes", 300, "canvas|leather|rubber|suede",
              "casual shoes|sneakers|canvas shoes|loafers|slip-ons|plimsolls|skate shoes",
              "休闲鞋|板鞋|帆布鞋|小白鞋|乐福鞋|一脚蹬|球鞋",
              "to wear with jeans|white and easy to clean|slip on without laces|walk around town",
              "搭配牛仔裤|好打理的小白|不用系鞋带|逛街不累脚"),
    _category("shoes/sandals", 150, "rubber|leather|foam|cork",
              "sandals|flip flops|slippers|slides|beach shoes|thongs|clogs",
              "凉鞋|拖鞋|人字拖|沙滩鞋|洞洞鞋|凉拖",
              "for the pool|at the beach all day|indoors after shower|open toes in summer",
              "浴室防滑|海边玩水|夏天露趾|居家踩屎感"),
    _category("beauty/lipstick", 140, "wax|shea butter|silicone",
              "lipstick|lip gloss|lip tint|rouge|lip colour|lip stain|matte lipstick",
              "口红|唇膏|唇釉|唇彩|口红笔|唇泥|胭脂膏",
              "does not smear on cups|bold evening lips|moist matte finish|first day at work",
              "不沾杯|显白提气色|哑光不干|素颜也能涂"),
    _category("beauty/sunscreen", 120, "zinc oxide|shea butter|alcohol",
              "sunscreen|sun cream|sunblock|spf lotion|sun lotion|uv protection cream",
              "防晒霜|防晒|防晒乳|隔离霜|防晒喷雾|防晒露",
              "no white cast|safe for sensitive skin|beach day protection|under make-up",
              "不泛白不油腻|敏感肌可用|军训防晒黑|妆前隔离"),
    _category("beauty/face_cream", 260, "shea butter|hyaluronic acid|ceramide",
              "face cream|moisturizer|day cream|anti-aging cream|night cream|facial lotion|skin cream",
              "面霜|保湿霜|润肤霜|乳液|晚霜|抗皱霜|滋润霜",
              "for dry winter skin|against wrinkles|repair overnight|light for oily skin",
              "秋冬补水|抗老淡纹|熬夜修护|油皮清爽"),
    _category("beauty/shampoo", 80, "silicone|coconut oil|ginger",
              "shampoo|hair wash|anti-dandruff shampoo|hair cleanser|scalp shampoo",
              "洗发水|洗发露|洗头膏|去屑洗发水|香波|洗发乳",
              "stop my dandruff|against hair loss|volume for flat hair|oily scalp in two days",
              "去屑止痒|防脱固发|头发蓬松|控油不塌"),
    _category("home/rice_cooker", 380, "steel|ceramic|aluminium",
              "rice cooker|multicooker|electric cooker|rice maker|pressure cooker",
              "电饭煲|电饭锅|压力锅|煮饭锅|多功能锅|高压锅",
              "cook rice for a family|timer for breakfast porridge|small kitchen single|steam dumplings too",
              "煮饭香糯|预约煮粥|一个人用的小|还能蒸煮炖"),
    _category("home/sofa", 2600, "fabric|leather|oak|velvet",
              "sofa|couch|loveseat|settee|sectional|sofa bed|divan",
              "沙发|布艺沙发|真皮沙发|懒人沙发|沙发床|贵妃榻",
              "sleep over guests|cat proof fabric|fits a small flat|movie night corner",
              "小户型客厅|猫抓不坏|能当床睡|躺着看电影"),
    _category("home/desk_lamp", 160, "aluminium|plastic|steel",
              "desk lamp|table lamp|reading lamp|led lamp|study light|bedside lamp",
              "台灯|护眼灯|床头灯|阅读灯|学习灯|小夜灯",
              "easy on the eyes|late night study|reading in bed|dim warm light",
              "护眼不频闪|熬夜写作业|床上看书|起夜不刺眼"),
    _category("home/bedding", 340, "cotton|silk|linen|down",
              "bedding set|duvet cover|bed sheets|quilt|comforter|bed linen|doona cover",
              "四件套|床上用品|被套|床单|被子|羽绒被|夏凉被",
              "cool sleep in summer|warm without weight|for a king size bed|gift for newlyweds",
              "裸睡舒服|冬天暖和不压身|结婚大红|学生宿舍上下铺"),
    _category("home/vacuum_cleaner", 1100, "plastic|aluminium|rubber",
              "vacuum cleaner|vacuum|robot vacuum|hoover|cordless vacuum|floor cleaner|sweeper",
              "吸尘器|扫地机器人|无线吸尘器|除螨仪|洗地机|扫拖一体机",
              "pet hair on carpets|clean while I work|under the bed|dust in the car",
              "家有宠物掉毛|自动扫拖|床底也能扫|除螨吸灰"),
    _category("sports/yoga_mat", 130, "rubber|foam|cork",
              "yoga mat|exercise mat|fitness mat|gym mat|pilates mat",
              "瑜伽垫|健身垫|运动垫|舞蹈垫|防滑垫",
              "do planks at home|no slipping in hot yoga|soft for knees|stretch before bed",
              "在家做平板支撑|出汗不打滑|护膝加厚|睡前拉伸"),
    _category("sports/tent", 620, "nylon|polyester|aluminium",
              "tent|camping tent|family tent|shelter|backpacking tent|bivvy|canopy",
              "帐篷|露营帐篷|天幕|户外帐篷|防雨帐篷|速开帐篷",
              "sleep under the stars|sets up in a minute|family weekend in the woods|survive a storm outdoors",
              "周末露营|一秒搭好|一家四口睡|暴雨不漏"),
    _category("sports/backpack", 280, "nylon|canvas|polyester|leather",
              "backpack|rucksack|daypack|school bag|knapsack|laptop bag|book bag",
              "背包|双肩包|书包|登山包|电脑包|旅行包",
              "carry books to class|weekend trip cabin size|fits a 15 inch computer|overnight mountain tour",
              "上学装书|短途旅行登机|装15寸电脑|重装徒步"),
    _category("sports/dumbbell", 190, "steel|rubber|neoprene",
              "dumbbells|weights|hand weights|free weights|barbell|kettlebell|strength set",
              "哑铃|杠铃|壶铃|健身器材|举重器|铁疙瘩",
              "build biceps at home|adjustable strength training|quiet on the floor|tone arms",
              "在家练肱二头|可调节增肌|不砸地板|女生瘦手臂"),
    _category("food/tea", 110, "paper|tin|glass",
              "tea|green tea|loose leaf tea|tea bags|oolong|black tea|matcha|pu-erh",
              "茶叶|绿茶|红茶|乌龙茶|普洱|龙井|铁观音|茶包",
              "wakes me up gently|gift for the elders|after a heavy meal|afternoon with scones",
              "送长辈礼盒|解腻刮油|办公室下午泡|提神不伤胃"),
    _category("food/snacks", 45, "paper|plastic|tin",
              "snacks|nuts|crisps|chips|cookies|dried fruit|candy|trail mix",
              "零食|坚果|薯片|饼干|果干|糖果|辣条|肉脯",
              "while watching a match|healthy office nibbles|for a kids party|sweet tooth at midnight",
              "追剧必备|办公室解馋|儿童生日会|半夜嘴馋"),
    _category("food/coffee", 95, "paper|tin|plastic",
              "coffee|coffee beans|ground coffee|instant coffee|espresso|coffee capsules|cold brew",
              "咖啡|咖啡豆|速溶咖啡|挂耳咖啡|胶囊咖啡|冷萃|拿铁",
              "get through monday mornings|dark roast for moka|hand drip ritual|no sugar energy",
              "早八续命|深烘拼配手冲|冷水秒溶|无糖提神"),
    _category("baby/stroller", 880, "aluminium|fabric|plastic",
              "stroller|pushchair|baby carriage|pram|buggy|travel stroller",
              "婴儿车|婴儿推车|宝宝车|伞车|溜娃神器|童车",
              "folds into a plane locker|newborn can lie flat|jog with the baby|twins side by side",
              "一键收车上飞机|新生儿可平躺|遛娃爬楼|双胞胎"),
    _category("baby/diapers", 120, "cotton|pulp|bamboo",
              "diapers|nappies|baby diapers|pull-ups|swim nappies|training pants",
              "纸尿裤|尿不湿|拉拉裤|尿片|尿布|学步裤",
              "dry through the night|no red bottom|newborn size|potty training days",
              "一夜不漏|不红屁股|新生儿夏季薄|戒尿不湿过渡"),
    _category("baby/toy", 130, "plastic|wood|silicone|cotton",
              "toy|building blocks|plush toy|puzzle|stuffed animal|teether|toy car|rattle",
              "玩具|积木|毛绒玩具|拼图|娃娃|遥控车|摇铃|磨牙棒",
              "learn colours by playing|birthday for a boy|quiet car ride|sleep companion",
              "早教认颜色|男孩生日礼物|安静玩半天|陪睡安抚"),
)  # fmt: skip

BRANDS = {
    "electronics": (
        "Novarix 诺瓦|Quentel 昆泰|Lumeo 路米|Zephon 泽丰|Arkwell 雅科|Tianyue 天跃|Pixora 皮克|Vantel 万拓"
    ),
    "clothing": (
        "Marlowe 马洛|Suyan 素言|Fernhill 芬希|Castora 卡思|Yunshang 云裳|Brindle 宾朵|Odette 欧黛|Halden 海登"
    ),
    "shoes": ("Strydo 驰多|Ridgeway 瑞崎|Bounda 邦达|Tafoot 踏足|Kestrel 凯捷|Lingbu 凌步|Corsa 珂萨"),
    "beauty": ("Velmora 薇茉|Huarun 花润|Serenne 诗蕊|Aquilis 水肌|Botania 本草集|Rosalie 若莎|Mirelle 蜜芮"),
    "home": ("Hearthly 暖居|Casavo 家沃|Nordlys 诺光|Anju 安居乐|Brixton 百思|Ovenia 欧炊|Linara 丽纳"),
    "sports": ("Summita 峰尚|Terrano 拓野|Flexa 力健|Kaiyuan 开源户外|Northway 北行|Agilo 敏动"),
    "food": ("Leafold 叶语|Granara 谷纳|Shancha 山茶记|Beanery 豆里|Nutwise 坚果派|Orchardy 果园里"),
    "baby": ("Cubbly 酷宝|Tinytot 小豆丁|Mumuland 木木乐园|Beloop 贝圈|Snuggo 抱抱熊|Kindra 童语"),
}
"""Department → its brands, each in Latin and Chinese letters."""

COLOURS = {
    "black": ("black", "黑色"),
    "white": ("white", "白色"),
    "red": ("red", "红色"),
    "blue": ("blue", "蓝色"),
    "green": ("green", "绿色"),
    "grey": ("grey", "灰色"),
    "pink": ("pink", "粉色"),
    "beige": ("beige", "米色"),
    "purple": ("purple", "紫色"),
    "yellow": ("yellow", "黄色"),
}
"""Label → English and Chinese word."""

MATERIALS = {
    "aluminium": "铝合金", "glass": "玻璃", "plastic": "塑料", "magnesium alloy": "镁合金", "leather": "真皮",
    "silicone": "硅胶", "steel": "不锈钢", "cotton": "纯棉", "silk": "真丝", "polyester": "涤纶", "linen": "亚麻",
    "nylon": "尼龙", "wool": "羊毛", "denim": "丹宁布", "elastane": "氨纶", "modal": "莫代尔", "rubber": "橡胶",
    "suede": "麂皮", "mesh": "网面", "knit": "针织", "foam": "泡棉", "canvas": "帆布", "cork": "软木", "wax": "蜂蜡",
    "shea butter": "乳木果", "zinc oxide": "氧化锌", "alcohol": "酒精", "hyaluronic acid": "玻尿酸",
    "ceramide": "神经酰胺", "coconut oil": "椰子油", "ginger": "生姜", "ceramic": "陶瓷", "fabric": "布艺",
    "oak": "橡木", "velvet": "丝绒", "down": "羽绒", "neoprene": "潜水料", "paper": "纸装", "tin": "罐装",
    "pulp": "木浆", "bamboo": "竹纤维", "wood": "实木",
}  # fmt: skip
"""English word, which is the label → Chinese word."""

ADJECTIVES = {
    "en": ("new", "classic", "premium", "light", "2026", "pro", "compact", "soft", "everyday", "deluxe", "eco"),
    "zh": ("新款", "经典", "高端", "轻便", "2026款", "升级版", "简约", "柔软", "日常", "豪华", "环保"),
}
FILLERS = {
    "en": (
        "cheap {}",
        "{} for my dad",
        "best {}",
        "{} sale",
        "good {} please",
        "i need {}",
        "{} gift",
        "looking for {}",
    ),
    "zh": ("想买{}", "求推荐{}", "{}便宜点的", "送老公的{}", "{}哪个牌子好", "有没有{}", "{}包邮", "性价比高的{}"),
}
CONFUSED = str.maketrans("鞋机装电脑耳包表霜膏锅灯裙裤茶", "鞵机妆店恼饵苞裱双高祸登群库查")
"""Characters that sound or look alike, as a hasty shopper types them."""
