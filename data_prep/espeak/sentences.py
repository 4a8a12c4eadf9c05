"""The sentences of the embedded corpus: some written by hand, more composed by a small grammar.

The 500 sentences of `sentences.txt` and the words below were written for this project; none is copied. They are plain
statements and questions of 4 to 9 words without digits, abbreviations or difficult names.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path

_PEOPLE = """
    baker judge nurse sailor teacher farmer pilot singer tailor dentist butcher plumber gardener chef captain lawyer
    widow cousin shepherd hunter painter poet doctor stranger neighbour uncle mayor drummer potter banker scholar
    thief juggler mother father sister brother child girl boy king queen prince monk soldier porter jeweller weaver
    fisherman wizard
"""
_ANIMALS = """
    fox goose puppy lizard camel zebra turtle beaver monkey rabbit donkey spider kitten wolf mouse owl hen otter
    badger parrot pony squirrel sparrow goat whale frog tiger moth beetle giraffe hedgehog eagle swan lobster
"""
_THINGS = """
    basket mirror bucket ladder candle hammer jacket button feather pillow ribbon violin kettle saddle carpet
    blanket umbrella telescope wagon bottle lantern suitcase barrel spoon puzzle magazine envelope orange onion
    cabbage sausage cheese pitcher vase trophy zipper glove scarf shovel brush key map coin jar rope shoe toy chair
    bench parcel photo box book cushion measure television treasure watch bridge fence tooth thimble
"""
_PLACES = """
    barn kitchen garage harbour museum chapel cellar attic orchard meadow station village tunnel library theatre
    bakery castle factory garden tower school shop church market forest beach river island stable cottage office
    hotel mill zoo vineyard valley lighthouse airport cave house
"""
_ADJECTIVES = """
    small rusty yellow heavy broken quiet narrow wooden golden dusty cheap strange gentle thirsty huge clever smooth
    purple shallow frozen muddy tidy empty bitter pleasant crooked sharp soft brown green blue white black long
    short round thin thick young old loud proud cloudy jolly rough harsh lovely useful royal
"""
_DONE_TO_THINGS = """
    borrowed carried dropped found painted polished sold stole hid lost washed bought brought moved measured fixed
    pushed watched chose noticed buried threw caught held opened cleaned dragged wanted guarded described examined
"""
_WENT = """
    walked hurried wandered climbed rushed sailed marched crawled jumped danced slipped drove rode strolled flew
    moved returned stumbled vanished
"""
_TOWARDS = "toward through behind beyond past beside into near around"
_WHEN = """
    yesterday|before noon|after supper|every morning|on Thursday|in July|at midnight|during the storm|last winter
    all day|in the rain|without a word|just in time|once a year|by mistake|long ago|this afternoon|with great care
    in the evening|on a foggy night|before the others|for an hour|as usual|again and again|at sunrise
    in early spring
"""
_HOW = """
    slowly quickly quietly gladly bravely politely carefully rudely proudly usually suddenly secretly gently barely
    nearly rarely always never
"""
_BY = "beside behind near inside outside beyond above below"
_SAID = "thought knew heard said wished agreed argued believed shouted whispered"
_LOOKED = "looked seemed felt became smelled"

_TEMPLATES = (
    "The {adjective} {person} {did} a {thing} {when}.",
    "The {person} {did} the {adjective} {thing}.",
    "The {person} {how} {did} the {thing} {when}.",
    "A {animal} {went} {towards} the {adjective} {place}.",
    "The {animal} {went} {towards} the {place} {when}.",
    "The {person} and the {animal} {went} {towards} the {place}.",
    "My {person} {did} your {thing} {when}.",
    "Who {did} the {thing} in the {place}?",
    "His {thing} and the {place} {looked} {adjective}.",
    "The {person} {said} that the {thing} {looked} {adjective}.",
    "Every {person} {said} the {place} {looked} {adjective}.",
    "Their {adjective} {animal} {how} {did} my {thing}.",
    "We {did} a {adjective} {thing} {by} the {place}.",
    "They {how} {went} {towards} our {adjective} {place}.",
    "Has the {person} seen this {adjective} {thing}?",
    "Did the {animal} sleep {by} the {place}?",
    "Put the {thing} {by} that {adjective} {place}.",
    "Please show the {person} your {adjective} {thing}.",
    "Why would a {person} need two {adjective} {animal}s?",
    "No {person} from the {place} {did} the {thing}.",
)
_SLOTS = {
    "person": _PEOPLE.split(),
    "animal": _ANIMALS.split(),
    "thing": _THINGS.split(),
    "place": _PLACES.split(),
    "adjective": _ADJECTIVES.split(),
    "did": _DONE_TO_THINGS.split(),
    "went": _WENT.split(),
    "towards": _TOWARDS.split(),
    "by": _BY.split(),
    "when": [phrase.strip() for line in _WHEN.strip().splitlines() for phrase in line.split("|")],
    "how": _HOW.split(),
    "said": _SAID.split(),
    "looked": _LOOKED.split(),
}
_PLURALS = {"fox": "foxes", "goose": "geese", "wolf": "wolves", "mouse": "mice", "pony": "ponies", "puppy": "puppies"}


def written() -> list[str]:
    """Return the sentences written by hand, in the order of their file."""
    return Path(__file__).with_suffix(".txt").read_text(encoding="utf-8").split("\n")[:-1]


def compose(rng: random.Random) -> str:
    """Compose a random sentence; the same sentence may be composed again later."""
    chosen = {slot: rng.choice(words) for slot, words in _SLOTS.items()}
    template = rng.choice(_TEMPLATES)
    if "{animal}s" in template:
        template = template.replace("{animal}s", _PLURALS.get(chosen["animal"], chosen["animal"] + "s"))
    sentence = template.format(**chosen)
    return re.sub(r"\b([Aa]) (?=[aeiou])(?!use|unicorn)", r"\1n ", sentence)


def words(sentence: str) -> list[str]:
    """Return the words of a sentence in lower case, without punctuation.

    >>> words("The farmer's truck, I think, was stuck.")
    ['the', "farmer's", 'truck', 'i', 'think', 'was', 'stuck']
    """
    return re.findall(r"[a-z']+", sentence.lower())


def distinct(n: int, rng: random.Random) -> Iterator[str]:
    """Yield `n` different sentences: first those written by hand in random order, then composed ones.

    Sentences that differ only in case or punctuation count as the same.
    """
    seen: set[str] = set()
    by_hand = written()
    rng.shuffle(by_hand)
    while len(seen) < n:
        sentence = by_hand.pop() if by_hand else compose(rng)
        spoken = " ".join(words(sentence))
        if spoken not in seen:
            seen.add(spoken)
            yield sentence
