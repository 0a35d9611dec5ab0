# SPDX-License-Identifier: Apache-2.0
"""kill -9, start again: nothing is lost, nothing is touched. Scale and rate are printed."""

import time

from agent_controller import base_objects, d, s, session


def test_killed_agent_adopts_everything(agent, associated):
    sessions = [session(n, s_vlan=100, s_tpid=0x8100) for n in range(1, 2001)]
    associated.apply(*sessions)
    associated.batch([s.BatchItem(**{"delete": s.Delete(family=d.FAMILY_SESSION, object_id=(1 << 48) | 9, generation=1)})])
    digests, epochs, boot = associated.audit(), list(associated.hello.epochs), associated.hello.boot_id
    associated.close()
    agent.kill()
    agent.start()
    hello = associated.greet()
    assert hello.boot_id != boot and list(hello.epochs) == epochs
    assert hello.terms[0].term == associated.term
    assert associated.audit() == digests
    assert "adopted=no" not in agent.log().split("event=ready")[1]
    repeated = associated.batch(
        [s.BatchItem(**{"delete": s.Delete(family=d.FAMILY_SESSION, object_id=(1 << 48) | 9, generation=1)})])
    assert repeated.results[0].HasField("final_counters")
    associated.apply(*[o for o in sessions if o.object_id & 0xFFFF != 9], *base_objects())
    assert associated.audit() == digests
    assert "repaired=0" in agent.log().split("event=ready")[1]


def test_killed_in_the_middle_of_batches_heals(agent, associated):
    """Random moments; what was answered is there, what is there is whole (the audit recomputed from our own objects)."""
    number, answered = 0, set()
    for round_number in range(5):
        pending = []
        for _ in range(4):
            objects = [session(number + i + 1) for i in range(1000)]
            number += 1000
            pending.append((associated.send_batch([s.BatchItem(upsert=o) for o in objects]), objects))
        time.sleep(0.004 * round_number)
        agent.kill()
        try:
            while True:
                result = associated.expect("batch_result", timeout=1)
                answered |= {x.object_id for x in result.results if x.code == s.ERROR_CODE_OK}
        except Exception:  # the lane closed or fell silent: the agent is dead
            pass
        associated.close()
        agent.start()
        associated.greet()
        held, after = set(), 0
        while True:
            associated.state.send(audit_page_request=s.AuditPageRequest(
                request_id=1, family=d.FAMILY_SESSION, after_object_id=after, limit=4096))
            page = associated.expect("audit_page")
            held |= {e.object_id for e in page.entries}
            if page.last:
                break
            after = page.entries[-1].object_id
        assert answered <= held
        for _, objects in pending:
            associated.apply(*objects)
            answered |= {o.object_id for o in objects}
    assert associated.audit()[d.FAMILY_SESSION][0] == number


def test_other_size_of_maps_is_refused_in_words(agent, associated):
    associated.close()
    assert agent.terminate() == 0
    agent.write_config(**{"max-sessions": "1000"})
    agent.start()
    assert agent.process.wait(10) == 1
    assert "max-sessions changed?" in agent.log()
    agent.process = None
    agent.write_config()


def test_shared_attach_fails_in_clear_words_without_extensions(agent):
    agent.write_config(attach="shared")
    agent.start()
    status = agent.process.wait(10)
    agent.process = None
    agent.write_config()
    assert status == 1 and "refuses programs of type EXT" in agent.log()


def test_second_agent_on_the_same_pins_is_refused(agent, associated):
    import subprocess
    from conftest import AGENT

    second = subprocess.run([AGENT, "--config", agent.config], capture_output=True, text=True, timeout=10)
    assert second.returncode == 1 and "another agent uses these pins" in second.stderr
    assert agent.detach().returncode == 1


def test_64k_sessions(agent, associated, capsys):
    total, batch = 65000, 4096
    frames = []
    for first in range(1, total + 1, batch):
        objects = [session(n, s_vlan=1 + n % 4000, s_tpid=0x8100) for n in range(first, min(first + batch, total + 1))]
        frames.append([s.BatchItem(upsert=o) for o in objects])
    packed = []
    import struct

    for i, items in enumerate(frames):
        body = s.ControllerFrame(batch=s.Batch(batch_id=1000 + i, scope="node", term=1, items=items)).SerializeToString()
        packed.append(struct.pack(">I", len(body)) + body)
    import threading

    start = time.monotonic()
    sender = threading.Thread(target=lambda: [associated.state.send_raw(p) for p in packed])
    sender.start()
    for i in range(len(frames)):
        result = associated.expect("batch_result", timeout=30)
        assert all(x.code == s.ERROR_CODE_OK for x in result.results)
    took = time.monotonic() - start
    sender.join()
    ticks = open(f"/proc/{agent.process.pid}/stat").read().rsplit(")", 1)[1].split()
    cpu = (int(ticks[11]) + int(ticks[12])) / 100
    start = time.monotonic()
    digests = associated.audit()
    audit = time.monotonic() - start
    with open(f"/proc/{agent.process.pid}/status") as status:
        memory = [line.split()[1] for line in status if line.startswith("VmRSS")][0]
    associated.close()
    agent.kill()
    start = time.monotonic()
    agent.start()
    associated.greet()
    back = time.monotonic() - start
    assert associated.audit() == digests and digests[d.FAMILY_SESSION][0] == total
    with capsys.disabled():
        print(f"\n64k: {total / took:,.0f} upserts/s ({cpu:.2f} s of the agent's CPU), agent RSS {int(memory) / 1024:.0f} MiB, audit {audit * 1000:.1f} ms, "
              f"adopted and associated in {back:.2f} s")
