"""Mutate JSON documents at random, in their structure and in their bytes, and compare both paths of reading on them.

``python tests/support/mutated_json.py 500000`` compares so many documents, from a random seed that it prints.
"""

import json
import sys
from random import Random
from typing import Any

from json_paths import agrees, text_of
from wire_documents import DOCUMENTS, parsed

SCALARS = (
    *(
        "null",
        "true",
        "0",
        "-0",
        "1",
        "-1",
        "1.0",
        "0.0",
        "-0.0",
        "1e0",
        "2.5",
        "1E2",
        "1e-7",
        "4.350",
        "1e288",
        "1e289",
    ),
    *("1e308", "1e309", "1e-324", "1e-325", "9223372036854775807", "9223372036854775808", "-9223372036854775809"),
    *(
        "123456789012345678901234567890",
        "0.12345678901234567890123456789",
        "NaN",
        "1e999999999999999999999",
        "01",
        "1.",
    ),
    *(
        '""',
        '"a"',
        '"open"',
        '"closed"',
        '"2026-02-03T04:05:06Z"',
        '"2026-02-03T04:05:06.1234567+01:00"',
        '"9.75"',
        '":"',
    ),
    *(
        '"\\u003a"',
        '"\\ud800"',
        '"\\ud83c\\udf75"',
        '"é"',
        '"\\u0000"',
        "[]",
        "{}",
        "[1]",
        '["a"]',
        '{"a":1}',
        '{"price":1}',
    ),
    *('[{"sku":"A","quantity":1}]', '{"a":{"price":2.50}}', "[[[]]]", '{"a":null}', '{"a":[1,{"b":2}]}'),
)
NAMES = (
    "a",
    "sku",
    "price",
    "quantity",
    "position",
    "cart_items",
    "customerSession",
    "return",
    "returnedCartItems",
    "_a",
    "é",
    "a:b",
)
BYTES = '{}[]":,\\ \n\t0123456789.eE+-_aAuné\ud800\x00'


def mutated(random: Random) -> tuple[str, Any]:
    """Return a document with up to five mutations, and its class."""
    kind = random.choice(list(DOCUMENTS))
    text = text_of(parsed(DOCUMENTS[kind]))
    for _ in range(random.randrange(6)):
        text = random.choice(MUTATIONS)(random, text)
    return text, kind


def _values(text: str) -> list[tuple[int, int]]:
    """Return where the values of members and the elements of lists begin and end."""
    decode, found = json.JSONDecoder().raw_decode, []
    for place, letter in enumerate(text):
        if letter in ":,[" and place + 1 < len(text):
            try:
                _, end = decode(text, place + 1)
            except ValueError:
                continue
            found.append((place + 1, end))
    return found


def _replace_value(random: Random, text: str) -> str:
    if not (places := _values(text)):
        return text
    start, end = random.choice(places)
    return text[:start] + random.choice(SCALARS) + text[end:]


def _copy_value(random: Random, text: str) -> str:
    if not (places := _values(text)):
        return text
    (start, end), (begin, stop) = random.choice(places), random.choice(places)
    return text[:start] + text[begin:stop] + text[end:]


def _add_member(random: Random, text: str) -> str:
    objects = [place for place, letter in enumerate(text) if letter == "{"]
    if not objects:
        return text
    place = random.choice(objects) + 1
    name = random.choice([*NAMES, text[place:].partition('"')[2].partition('"')[0]])
    comma = "" if text[place : place + 1] == "}" else ","
    colon = random.choice([":", ":", " :", ": ", "\n:\n"])
    return f"{text[:place]}{json.dumps(name)}{colon}{random.choice(SCALARS)}{comma}{text[place:]}"


def _wrap(random: Random, text: str) -> str:
    name = random.choice(["customerSession", "return", "other"])
    return random.choice(
        [f'{{"{name}":{text}}}', f'{{"effects":[{{"a":1}}],"{name}":{text}}}', f"[{text}]", f" {text} "]
    )


def _change_bytes(random: Random, text: str) -> str:
    place = random.randrange(len(text) + 1)
    kept = place + random.randrange(3)
    return text[:place] + "".join(random.choices(BYTES, k=random.randrange(3))) + text[kept:]


MUTATIONS = (_replace_value, _replace_value, _copy_value, _add_member, _add_member, _wrap, _change_bytes)


def compare(seed: int, count: int) -> int:
    """Compare the paths on *count* documents, and return how many the fast path has read."""
    random = Random(seed)
    read = 0
    for _ in range(count):
        text, kind = mutated(random)
        strict = random.random() < 0.5
        try:
            read += agrees(text, kind, strict=strict)
        except BaseException:
            print("the paths differ on", ascii(text), kind, "strict" if strict else "")
            raise
    return read


if __name__ == "__main__":
    count = int(sys.argv[1])
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else Random().randrange(2**32)
    print(f"seed {seed}: {count:,} documents agree, {compare(seed, count):,} of them on the fast path")
