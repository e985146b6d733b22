# SPDX-License-Identifier: GPL-2.0
"""Rules of Documentation/process/maintainer-kvm-x86.rst that a program can check."""

import re

SUBJECT_LIMIT = BODY_LIMIT = 75
PREFIX = re.compile(r"(?:KVM: (?:(?P<topic>[\w/]+(?:: [\w/]+)*): )?|Documentation: KVM: |MAINTAINERS: )(?P<what>.*)")
PRONOUN = re.compile(r"\b(?:I|me|my|we|us|ou(?:r|rs)|you|your(?:s)?)\b", re.I)
MENTION = re.compile(r"\b[a-z]\w*_\w+\b(?![(\w])")
SIGNED_OFF = "Signed-off-by: "
UNWRAPPED = ("Fixes: ", "Link: ", "Closes: ", "Reported-by: ", "Suggested-by: ")
# Those of KVM's other parts that the series edits.
OTHER_TOPICS = {"arm64", "arm64: PMU", "arm64: pvtime", "arm64: timers", "pfncache"}


def topics(page):
    """The topics that the page lists, and OTHER_TOPICS."""
    listed = page.split("one of::")[1].split("**DO NOT")[0]
    return set(re.findall(r"- (\S+)", listed)) | OTHER_TOPICS


def subject_faults(subject, known):
    prefix = PREFIX.fullmatch(subject)
    if not prefix:
        yield "the subject does not start with 'KVM: <topic>: '"
        return
    if prefix["topic"] and prefix["topic"] not in known:
        yield f"there is no topic {prefix['topic']!r}"
    first = prefix["what"].split()[0]
    if not first[0].isupper():
        yield "the subject's first word has no capital letter"
    if re.search(r"(?:ed|ing|[^s]s)$", first):
        yield f"{first!r} is not imperative"
    if subject.endswith("."):
        yield "the subject ends with a full stop"
    if len(subject) > SUBJECT_LIMIT:
        yield f"the subject has {len(subject)} characters"


def is_function(name, diff):
    """Some names are those of a field as well."""
    follows = set(re.findall(rf"\b{name}\b(\(?)", diff))
    return follows == {"("}


def body_faults(body, diff):
    if not any(body):
        yield "there is no description"
    for line in body:
        if len(line) > BODY_LIMIT and not line.startswith(UNWRAPPED):
            yield f"{len(line)} characters: {line}"
        if PRONOUN.search(line) and not line.startswith(UNWRAPPED):
            yield f"pronoun: {line}"
        if line.startswith(SIGNED_OFF):
            yield f"the sender of the series adds this: {line}"
        for name in MENTION.findall(line):
            if is_function(name, diff):
                yield f"a function is written {name}(): {line}"


def faults(message, diff, known):
    subject, *rest = message.rstrip("\n").split("\n")
    yield from subject_faults(subject, known)
    if rest and rest[0]:
        yield "there is no blank line below the subject"
    yield from body_faults(rest, diff)
