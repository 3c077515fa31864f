"""What the lock files of Composer, npm, Yarn and pnpm name."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanners.components.locks import LOCKS, LockDamaged, components_of

COMPOSER = json.dumps(
    {
        "packages": [
            {"name": "Acme/Mailer", "version": "v2.0.0"},
            {"name": "wpackagist-plugin/shop", "version": "1.4"},
            {"name": "acme/broken"},
            "nothing",
        ],
        "packages-dev": [{"name": "acme/tester", "version": "1.0.0"}],
    }
)
INSTALLED = json.dumps(
    {
        "packages": [{"name": "acme/mailer", "version": "2.0.0"}, {"name": "acme/tester", "version": "1.0.0"}],
        "dev": True,
        "dev-package-names": ["acme/tester"],
    }
)
NPM_3 = json.dumps(
    {
        "lockfileVersion": 3,
        "packages": {
            "": {"name": "theme", "version": "1.0.0"},
            "node_modules/left": {"version": "1.2.3"},
            "node_modules/left/node_modules/@acme/right": {"version": "0.1.0", "dev": True},
            "node_modules/other-name": {"name": "real-name", "version": "4.0.0"},
            "packages/own": {"version": "1.0.0"},
        },
    }
)
NPM_1 = json.dumps(
    {
        "lockfileVersion": 1,
        "dependencies": {
            "left": {"version": "1.2.3", "dependencies": {"@acme/right": {"version": "0.1.0", "dev": True}}},
            "forked": {"version": "git+ssh://git@host.example/forked.git#abc"},
            "alias": {"version": "npm:real-name@4.0.0"},
        },
    }
)
YARN_1 = """# yarn lockfile v1

"@acme/right@^0.1.0", "@acme/right@~0.1":
  version "0.1.0"
  resolved "https://registry.example/right"

left@^1.0.0, left@^1.2.0:
  version "1.2.3"
  dependencies:
    "@acme/right" "^0.1.0"
"""
YARN_2 = """__metadata:
  version: 6

"@acme/right@npm:^0.1.0":
  version: 0.1.0
  resolution: "@acme/right@npm:0.1.0"

"left@npm:^1.0.0":
  version: 1.2.3

"theme@workspace:.":
  version: 0.0.0-use.local
"""
PNPM_5 = """lockfileVersion: 5.4

dependencies:
  left: 1.2.3

packages:

  /@acme/right/0.1.0:
    resolution: {integrity: sha512-x}
    dev: true

  /left/1.2.3:
    resolution: {integrity: sha512-x}
    dev: false
"""
PNPM_6 = PNPM_5.replace("5.4", "'6.0'").replace("right/0.1.0", "right@0.1.0").replace("left/1.2.3", "left@1.2.3(x@1)")
PNPM_9 = """lockfileVersion: '9.0'

packages:

  '@acme/right@0.1.0':
    resolution: {integrity: sha512-x}

  left@1.2.3:
    resolution: {integrity: sha512-x}

snapshots:

  left@1.2.3: {}
"""
BOTH = {"npm/left@1.2.3", "npm/@acme/right@0.1.0"}


@pytest.mark.parametrize(
    ("name", "content", "expected", "development"),
    [
        (
            "composer.lock",
            COMPOSER,
            {"composer/acme/mailer@2.0.0", "plugin/shop@1.4", "composer/acme/tester@1.0.0"},
            {"composer/acme/tester@1.0.0"},
        ),
        (
            "installed.json",
            INSTALLED,
            {"composer/acme/mailer@2.0.0", "composer/acme/tester@1.0.0"},
            {"composer/acme/tester@1.0.0"},
        ),
        ("installed.json", '[{"name": "acme/mailer", "version": "2.0.0"}]', {"composer/acme/mailer@2.0.0"}, set()),
        ("package-lock.json", NPM_3, BOTH | {"npm/real-name@4.0.0"}, {"npm/@acme/right@0.1.0"}),
        (".package-lock.json", NPM_1, BOTH | {"npm/real-name@4.0.0"}, {"npm/@acme/right@0.1.0"}),
        ("yarn.lock", YARN_1, BOTH, set()),
        ("yarn.lock", YARN_2, BOTH, set()),
        ("pnpm-lock.yaml", PNPM_5, BOTH, {"npm/@acme/right@0.1.0"}),
        ("pnpm-lock.yaml", PNPM_6, BOTH, {"npm/@acme/right@0.1.0"}),
        ("pnpm-lock.yaml", PNPM_9, BOTH, set()),
    ],
)
def test_lock_names_its_packages(name: str, content: str, expected: set[str], development: set[str]) -> None:
    """With their versions, and whether the site itself needs them."""
    found = list(components_of(name, content.encode(), name))

    assert {one.key for one in found} == expected
    assert {one.key for one in found if one.for_development} == development


@pytest.mark.parametrize("name", ["composer.lock", "installed.json", "package-lock.json"])
@pytest.mark.parametrize("content", [b"", b'{"packages": [', b"[" * 200_000])
def test_lock_that_cannot_be_read_is_said_to_be_damaged(name: str, content: bytes) -> None:
    """It must not pass for one without packages."""
    with pytest.raises(LockDamaged):
        list(components_of(name, content, name))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["packages", "dependencies", "name", "version", "dev", "node_modules/a"]), inner
        )
    ),
    max_leaves=12,
)


@given(st.sampled_from(sorted(LOCKS)), st.one_of(JSON.map(json.dumps), st.text(max_size=200)))
def test_lock_of_a_stranger_breaks_nothing(name: str, content: str) -> None:
    """Whatever it holds: components, or the word that it is damaged."""
    try:
        found = list(components_of(name, content.encode("utf-8", "replace"), name))
    except LockDamaged:
        return
    assert all(one.name and one.name.isprintable() for one in found)
