"""Everything that a network learned from: its own training, its start's and its teachers', back to nothing.

A swapper is not to be judged by a network that taught it, nor by one of that network's kin, and neither judge nor swapper
should know the people of a test. What decides both is collected when a training begins, kept in its checkpoint as
`provenance["lineage"]` and in the card of exported weights as `lineage`:

    networks    fingerprints (pretrained.fingerprint) of embedders, and the origins of their trainings (origin)
    losses      that trained any of these embedders
    people      sets of people that any of these trainings was shown, validation included: Set's forms
    names       people's names by set, hashed (packed_names)
    unknown     what older files do not say, in words; empty where the closure is whole

Older checkpoints and cards have no `lineage`: for_training and for_card collect what their records say, and name the rest.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

FAMILIES = frozenset({"arcface", "cosface"})
"""Losses that make a family of recognisers in the field: a swapper taught by one is daggered under all of them."""
_NAME = "name:"
_EMBEDDERS = "the embedders"


@dataclass(frozen=True)
class Lineage:
    """See the module. Two are joined with |."""

    networks: frozenset[str] = frozenset()
    losses: frozenset[str] = frozenset()
    people: frozenset[str] = frozenset()
    unknown: frozenset[str] = frozenset()
    names: Mapping[str, str] = field(default_factory=dict)

    def __or__(self, other: Lineage) -> Lineage:
        return Lineage(
            self.networks | other.networks,
            self.losses | other.losses,
            self.people | other.people,
            self.unknown | other.unknown,
            {**self.names, **other.names},
        )

    @property
    def families(self) -> list[str]:
        """The families of recognisers among the losses, by name."""
        return sorted(self.losses & FAMILIES)

    def as_json(self, names: bool = True) -> dict[str, Any]:
        """An object for JSON, lists sorted; without `names` it is short enough to stand inside another one's record."""
        found: dict[str, Any] = {
            key: sorted(getattr(self, key)) for key in ("networks", "losses", "people", "unknown")
        }
        return {**found, "names": dict(self.names)} if names and self.names else found

    @classmethod
    def of_json(cls, stored: Mapping[str, Any]) -> Lineage:
        """The inverse of as_json."""
        networks, losses, people, unknown = (
            frozenset(stored.get(key, ())) for key in ("networks", "losses", "people", "unknown")
        )
        return cls(networks, losses, people, unknown, dict(stored.get("names", {})))


def for_training(node: Mapping[str, Any], part: str) -> Lineage:
    """The lineage of a training from its record, which may be one of an older version.

    Args:
        node: A checkpoint's provenance, or the record of a start or of a teacher's training; with `config`, its flat
            options, where they are known. A `lineage` in it is taken as it stands.
        part: "embedder" or "swapper".

    Returns:
        All that trained it. An embedder's own `weights` are among the networks.
    """
    own = Lineage()
    if part == "embedder":
        own = Lineage(networks=frozenset(str(node[key]) for key in ("weights", "origin") if node.get(key)))
        if loss := (node.get("config") or {}).get("loss"):
            own |= Lineage(losses=frozenset({loss}))
    if "lineage" in node:
        return own | Lineage.of_json(node["lineage"])
    own |= people_of(node.get("data") or {}, node.get("people"))
    if part == "embedder":
        own |= Lineage() if own.losses else _unknown("the loss", node)
    else:
        teachers = [node["embedder"]] if node.get("embedder") else []
        own |= Lineage() if teachers else _unknown(_EMBEDDERS, node)
        for teacher in (*teachers, *node.get("also", ())):
            own |= for_embedder(teacher)
    return own | (for_training(node["start"], part) if node.get("start") else Lineage())


def for_embedder(about: Mapping[str, Any]) -> Lineage:
    """The lineage of a teacher, as a swapper's provenance has it: config, weights (its fingerprint) and training."""
    training = about.get("training") or {}
    weights = Lineage(networks=frozenset({about["weights"]} if about.get("weights") else ()))
    return weights | for_training({**training, "config": about.get("config")}, "embedder")


def for_card(card: Mapping[str, Any]) -> Lineage:
    """The lineage of exported weights, from their card (pretrained.card)."""
    config = card["config"]
    if card.get("part") == "embedder":
        return for_training({**card, "config": config["embedder"]}, "embedder")
    taught = {"config": config["embedder"], "training": card.get("embedder_training")}
    return for_training({**card, "config": config["swapper"], "embedder": taught}, "swapper")


def of_embedder(card: Mapping[str, Any]) -> Lineage:
    """The lineage of the embedder in exported weights: of a swapper's card, that of its teacher alone."""
    if card.get("part") == "embedder":
        return for_card(card)
    training = dict(card.get("embedder_training") or {})
    names = (card.get("lineage") or {}).get("names", {})
    if "lineage" in training:  # the names stand once, in the card's own
        sets = training["lineage"].get("people", ())
        training["lineage"] = {**training["lineage"], "names": {k: names[k] for k in sets if k in names}}
    return for_embedder({"config": card["config"]["embedder"], "training": training})


def settle(
    provenance: dict[str, Any], config: Mapping[str, Any], part: str, names: Iterable[str] = ()
) -> None:
    """Write a training's lineage into its provenance, and take the long lists of names out of the records inside it.

    Args:
        provenance: Of a run that begins, its start and teachers already in it; changed in place.
        config: Its flat options.
        part: "embedder" or "swapper".
        names: The people of its data.
    """
    found = for_training({**provenance, "config": config, "people": named_people(names)}, part)
    provenance["lineage"] = found.as_json()
    embedders = [about for about in (provenance.get("embedder"), *provenance.get("also", ())) if about]
    for record in (provenance.get("start"), *(about.get("training") for about in embedders)):
        if record and "lineage" in record:
            record["lineage"] = {k: v for k, v in record["lineage"].items() if k != "names"}


def origin(weights: str, data: Mapping[str, Any], config: Mapping[str, Any]) -> str:
    """What a training's networks share at all its steps, so that a later checkpoint of a teacher is known for its kin.

    Args:
        weights: Fingerprint of the network before the first step.
        data: Of the training (FaceData.about()).
        config: Its flat options, of which loss and seed count.

    Returns:
        Hex SHA-256.
    """
    parts = (weights, data.get("sha256"), config.get("loss"), config.get("seed"))
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()


def people_of(data: Mapping[str, Any], people: Mapping[str, str] | None = None) -> Lineage:
    """Whom a training was shown.

    Args:
        data: FaceData.about() of its faces.
        people: Their names by set, where they are at hand (named_people).

    Returns:
        The people; for photographs without names, that they are unknown. Nothing for no data.
    """
    if people:
        return Lineage(people=frozenset(people), names=dict(people))
    meta = data.get("meta") or {}
    if str(meta.get("people_ids", "")).startswith("rendered:") and {"people", "seed"} <= set(meta):
        return Lineage(people=frozenset({rendered_set(meta)}))
    if data.get("sha256"):
        return Lineage(people=frozenset({f"unnamed:{data['sha256'][:16]}"}))
    return Lineage()


def rendered_set(meta: Mapping[str, Any]) -> str:
    """The set of people of a folder of rendered faces, from its meta.json: "rendered:4000:0..5999:lookalikes"."""
    kind = ":lookalikes" if meta.get("lookalikes") else ""
    # With shapes, two neighbours of the chain count as one person.
    count = int(meta["people"]) * (2 if meta.get("shapes") else 1)
    return f"rendered:{meta['seed']}:0..{count - 1}{kind}"


def named_people(names: Iterable[str]) -> dict[str, str]:
    """People's names as a set: {its name: its packed names}; {} where most are numbers, which name nobody."""
    known = sorted({name for name in map(str, names) if any(letter.isalpha() for letter in name)})
    if not known:
        return {}
    packed = packed_names(known)
    return {f"names:{hashlib.sha256(packed.encode()).hexdigest()[:16]}": packed}


def packed_names(names: Iterable[str]) -> str:
    """Names as base64 of the sorted first four bytes of each one's SHA-256: 21 kB for 4,000 people.

    A name that is not among n is found among them by chance with probability n / 2^32.
    """
    return base64.b64encode(b"".join(sorted({_digest(name) for name in names}))).decode()


def _digest(name: str) -> bytes:
    return hashlib.sha256("_".join(name.casefold().split()).encode()).digest()[:4]


def saw(lineage: Lineage, person: str) -> bool | None:
    """Whether a training was shown a person.

    Args:
        lineage: What is known of it.
        person: "rendered:SEED:STREAM:INDEX", a rendered person by the numbers that drew it, or "name:NAME".

    Returns:
        None where that cannot be told: of a named person by photographs without names, or where records are missing.
    """
    answers = [_in_set(people, lineage.names.get(people), person) for people in lineage.people]
    if any(answers):
        return True
    hidden = any(text.startswith(_EMBEDDERS) for text in lineage.unknown)  # and whom they were shown
    return None if None in answers or hidden or not answers else False


def _in_set(people: str, packed: str | None, person: str) -> bool | None:
    kind, _, rest = people.partition(":")
    if kind == "nobody":  # fitted, not trained
        return False
    if kind == "rendered":
        return person.startswith("rendered:") and _drawn(rest, person)
    if person.startswith("rendered:"):
        return False  # nobody who was drawn is on a photograph
    if kind != "names" or packed is None or not person.startswith(_NAME):
        return None
    return _digest(person.removeprefix(_NAME)) in _unpacked(packed)


@lru_cache(maxsize=8)  # everybody in a run is looked for in the same few sets
def _unpacked(packed: str) -> frozenset[bytes]:
    found = base64.b64decode(packed)
    return frozenset(found[i : i + 4] for i in range(0, len(found), 4))


def _drawn(people: str, person: str) -> bool:
    """Whether a rendered person is of a set "SEED:[STREAM:]FIRST..LAST[:lookalikes]".

    numpy fills its seeds up with zeros, so that [0, 77] and [0, 77, 0] draw the same face.
    """
    fields = people.split(":")
    chain = fields[-1] == "lookalikes"
    *before, ends = fields[: len(fields) - chain]
    first, _, last = ends.partition("..")
    numbers = [int(number) for number in person.split(":")[1:]]
    prefix = [int(number) for number in before]
    padded = numbers + [0] * 4
    if padded[: len(prefix)] != prefix:
        return False
    place, *rest = padded[len(prefix) :]
    if not chain:
        return int(first) <= place <= int(last) and not any(rest)
    # Person p of the chain has the shape of [seed, p // 2, 1] and the look of [seed, (p + 1) // 2, 2].
    which, *rest = rest
    more = which - 1
    return which in (1, 2) and (int(first) + more) // 2 <= place <= (int(last) + more) // 2 and not any(rest)


def _unknown(what: str, node: Mapping[str, Any]) -> Lineage:
    command = str(node.get("command") or "a training that left no command")
    return Lineage(unknown=frozenset({f"{what} of: {command}"}))
