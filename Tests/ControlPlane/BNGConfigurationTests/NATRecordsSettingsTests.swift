// SPDX-License-Identifier: Apache-2.0
// `nat-records:`: values, defaults and every mistake.

import BNGCore
import Testing

@testable import BNGConfiguration

private let file = """
    controller: {id: 1, state: /tmp/s.sqlite}
    agents: {listen: [{unix: /tmp/a.sock}]}
    access-domains: [{name: metro, id: 7, pool: home, server-identity: 100.64.0.1}]
    nodes:
      - {name: edge1, ports: [{name: access0, role: access, access-domain: metro}, {name: core0, role: core}]}
    pools:
      - {name: home, prefix: 100.64.0.0/16, gateway: 100.64.0.1, ranges: [100.64.1.0-100.64.1.255], lease: 1h}
    nat-records:
      spool: 50000
      outputs:
        - {name: flows, kind: ipfix, to: "[2001:db8::1]:4739", observation-domain: 9, message-size: 900, template-interval: 30s}
        - {name: stream, kind: ipfix, to: flows.example:4739, transport: tcp}
        - {name: log, kind: syslog, to: 192.0.2.1:514, facility: authpriv, enterprise: 99}
        - {name: file, kind: json, file: /var/log/bng/nat.jsonl}
    """

private let mistakes = [
    ("spool: 50000", "spool: 10", "nat-records.spool: expected a number from 1000 to 100000000"),
    ("name: log", "name: flows", "nat-records: the name \"flows\" is given twice"),
    ("name: log", "name: a b", "outputs[2].name: expected a name without spaces"),
    ("kind: syslog", "kind: netflow", "outputs[2].kind: expected ipfix | syslog | json, found \"netflow\""),
    ("kind: syslog, ", "", "outputs[2].kind is missing"),
    ("192.0.2.1:514", "192.0.2.1", "outputs[2].to: expected HOST:PORT such as 192.0.2.10:514"),
    ("to: 192.0.2.1:514, ", "", "outputs[2].to is missing"),
    ("facility: authpriv", "facility: local9", "outputs[2].facility: expected kern | user"),
    ("enterprise: 99", "enterprise: 0", "outputs[2].enterprise"),
    ("message-size: 900", "message-size: 512", "outputs[0].message-size: expected a number from 700 to 9000"),
    ("observation-domain: 9", "observation-domain: 0", "outputs[0].observation-domain"),
    ("template-interval: 30s", "template-interval: 2h", "outputs[0].template-interval: expected"),
    ("transport: tcp", "transport: tcp, template-interval: 9s", "expected only with transport: udp"),
    ("transport: tcp", "transport: sctp", "outputs[1].transport: expected udp | tcp"),
    ("file: /var/log/bng/nat.jsonl", "file: nat.jsonl", "outputs[3].file: expected the absolute path of a file"),
    ("kind: json", "kind: json, to: 192.0.2.1:1", "unknown key nat-records.outputs[3].to"),
    (
        "name: log, kind: syslog, to: 192.0.2.1:514, facility: authpriv, enterprise: 99",
        "name: log, kind: json, file: /var/log/bng/nat.jsonl", "the file \"/var/log/bng/nat.jsonl\" is given twice"
    ),
]

@Suite struct NATRecordsSettingsTests {
    @Test func `outputs are read, and what is not said has a default`() throws {
        let settings = try ControllerConfiguration(yaml: file, file: "f").natRecords
        #expect(settings.spool == 50_000)
        #expect(
            settings.outputs.map(\.target) == [
                .ipfix(
                    HostPort(host: "2001:db8::1", port: 4_739), .udp, observationDomain: 9, messageSize: 900,
                    templateInterval: 30),
                .ipfix(
                    HostPort(host: "flows.example", port: 4_739), .tcp, observationDomain: 1, messageSize: 1_400,
                    templateInterval: 60),
                .syslog(HostPort(host: "192.0.2.1", port: 514), .udp, facility: .authpriv, enterprise: 99),
                .json(path: "/var/log/bng/nat.jsonl"),
            ])
        #expect(settings.outputs.map(\.name) == ["flows", "stream", "log", "file"])
        let none = try ControllerConfiguration(yaml: String(file.split(separator: "nat-records:")[0]), file: "f")
        #expect(none.natRecords == NATRecordsSettings())
    }

    @Test(arguments: mistakes)
    func `a mistake is named`(part: String, replacement: String, message: String) {
        #expect {
            _ = try ControllerConfiguration(yaml: file.replacing(part, with: replacement), file: "f")
        } throws: { "\($0)".contains(message) }
    }
}
