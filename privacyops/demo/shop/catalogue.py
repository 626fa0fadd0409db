"""What the demo shop sells: categories, products with prices, stock."""

from dataclasses import dataclass
from typing import Final

from privacyops.demo.shop.dice import Dice

CATEGORIES: Final = {
    "Kitchen": ("Pots and pans", "Knives", "Baking", "Tableware", "Storage jars"),
    "Living": ("Lamps", "Rugs", "Cushions", "Shelves", "Clocks"),
    "Bath": ("Towels", "Soap", "Bath mats"),
    "Garden": ("Planters", "Tools", "Seeds", "Bird houses", "Lanterns"),
    "Children": ("Wooden toys", "Night lights", "Bedding"),
}
_KINDS: Final = {
    "Pots and pans": ("cast iron pan", "saucepan", "stock pot", "milk pan"),
    "Knives": ("bread knife", "paring knife", "chef's knife", "whetstone"),
    "Baking": ("loaf tin", "rolling pin", "cake ring", "proving basket"),
    "Tableware": ("stoneware bowl", "dinner plate", "mug", "carafe"),
    "Storage jars": ("clip jar", "tea caddy", "bread box"),
    "Lamps": ("table lamp", "pendant lamp", "reading lamp"),
    "Rugs": ("wool rug", "jute runner", "door mat"),
    "Cushions": ("linen cushion", "seat pad", "bolster"),
    "Shelves": ("wall shelf", "plate rack", "coat rail"),
    "Clocks": ("wall clock", "alarm clock"),
    "Towels": ("bath towel", "hand towel", "sauna towel"),
    "Soap": ("olive soap", "soap dish"),
    "Bath mats": ("bath mat", "cork mat"),
    "Planters": ("clay pot", "window box", "hanging basket"),
    "Tools": ("hand trowel", "pruning shears", "watering can"),
    "Seeds": ("meadow mix", "herb mix"),
    "Bird houses": ("nesting box", "bird feeder"),
    "Lanterns": ("storm lantern", "tealight holder"),
    "Wooden toys": ("stacking tower", "pull-along duck", "train set"),
    "Night lights": ("moon night light", "star projector"),
    "Bedding": ("cot blanket", "pillow case", "sleeping bag"),
}
_SERIES: Final = ("Alva", "Brisa", "Cedre", "Dorn")
_FINISHES: Final = ("oak", "sand", "slate", "moss", "clay")
WAREHOUSES: Final = ("Kassel", "Lille")


@dataclass(frozen=True, slots=True)
class Product:
    product_id: int
    sku: str
    category_id: int
    name: str
    price_cents: int
    weight_g: int


@dataclass(frozen=True, slots=True)
class Catalogue:
    categories: tuple[tuple[int, int | None, str], ...]
    products: tuple[Product, ...]
    stock: tuple[tuple[int, str, int, str], ...]


def catalogue(dice: Dice) -> Catalogue:
    """Every kind of article in four series, one finish each, and what two warehouses hold of it."""
    categories: list[tuple[int, int | None, str]] = []
    products: list[Product] = []
    for parent, children in CATEGORIES.items():
        parent_id = len(categories) + 1
        categories.append((parent_id, None, parent))
        for child in children:
            child_id = len(categories) + 1
            categories.append((child_id, parent_id, child))
            for kind in _KINDS[child]:
                for series in _SERIES:
                    number = len(products) + 1
                    name = f"{series} {kind}, {dice.pick(_FINISHES)}"
                    price = dice.between(6, 180) * 100 - dice.pick((1, 5, 10, 50))
                    weight = dice.between(1, 60) * 100
                    products.append(Product(number, f"HW-{number:04}", child_id, name, price, weight))
    stock = tuple(
        (product.product_id, warehouse, dice.below(240), dice.day(dice.between(1, 20)))
        for product in products
        for warehouse in WAREHOUSES
    )
    return Catalogue(tuple(categories), tuple(products), stock)
