# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the labs: a lab that cleans up after itself and keeps everything when its test fails."""
import os
import pathlib

import pytest

from pppoe_guest import Guest
from topology import ROOT, Lab


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    setattr(item, f"report_{report.when}", report)


@pytest.fixture
def make_lab(request, tmp_path):
    """A factory: `make_lab(lease="60s")` gives a lab with that configuration, not yet up."""
    labs = []

    def make(**options):
        lab = Lab(directory=tmp_path / f"lab{len(labs)}", **{"capture": True, **options})
        labs.append(lab)
        return lab

    yield make
    failed = getattr(request.node, "report_call", None) is None or request.node.report_call.failed
    for lab in labs:
        if failed:
            keep = ROOT / "build" / "labs" / request.node.name.replace("/", "_")
            lab.save(keep)
            print(f"kept: build/labs/{keep.name}")
        lab.down()


@pytest.fixture
def lab(make_lab):
    return make_lab().up()


@pytest.fixture(scope="module")
def guest(tmp_path_factory):
    """The machine with pppd: booted once for a module."""
    guest = Guest(tmp_path_factory.mktemp("guest"))
    yield guest
    guest.stop()
