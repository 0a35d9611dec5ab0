from topology import wait_for, sh
import time
def test_debug(make_lab):
    lab = make_lab(ipv6={}).up()
    cpe = lab.cpe("cpe1", "02:00:5e:10:66:01")
    cpe.autoconfigure()
    time.sleep(6)
    print(lab.ctl("show","punts",text=True)); print(lab.ctl("show","drops",text=True)); print(lab.ctl("show","sessions",text=True))
    print(lab.metrics()[-6000:])
    assert 0
