// SPDX-License-Identifier: Apache-2.0
// deploy/bng-controller.schema.json knows exactly the keys the reader knows, and accepts the example.

import Foundation
import TestVectors
import Testing

@testable import BNGConfiguration

private let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

/// A file in which every mapping occurs.
private let complete = """
    controller: {id: 1, state: /tmp/s}
    log: {level: info}
    admin: {socket: /tmp/a}
    agents:
      listen: [{tls: "0.0.0.0:7401", certificate: a, key: b, authority: c}]
    access-domains:
      - name: metro
        id: 1
        pool: main
        server-identity: 10.0.0.1
        pppoe: {pado-delay-loaded: {sessions: 1}}
        ipv6: {link-pool: lines}
    nodes:
      - name: edge1
        ports:
          - {name: access0, role: access, access-domain: metro, relay-trust: relays, trusted-relays: [{ipv4: 10.0.0.9, ipv6: ["2001:db8::9"]}]}
          - {name: core0, role: core}
        routes: [{prefix: 0.0.0.0/0, via: kernel}]
        identity: tpm
        attestation: edge
    identity:
      authority: {certificate: a, key: b}
      approve: [{serial: S1, node: edge1}]
    attestation-policies: [{name: edge, registers: {0: 0000000000000000000000000000000000000000000000000000000000000000}}]
    pools:
      - name: main
        prefix: 10.0.0.0/16
        gateway: 10.0.0.1
        lease: 1h
        options: [{code: 42, u8: 1}]
        static: [{mac: "02:00:00:00:00:01", address: 10.0.0.9}]
    prefix-pools:
      - name: lines
        prefixes: ["2001:db8::/40"]
        length: 64
        static: [{mac: "02:00:00:00:00:01", prefix: "2001:db8:0:1::/64"}]
    dhcp-servers:
      - {name: kea, ipv4: [192.0.2.10], local-ipv4: 192.0.2.1, ipv6: ["2001:db8::10"], local-ipv6: "2001:db8::1"}
    nat-policies: [{name: home}]
    nat-pools:
      - {name: public, policy: home, addresses: [192.0.2.0/28]}
    nat-records:
      outputs:
        - {name: flows, kind: ipfix, to: "192.0.2.10:4739"}
        - {name: log, kind: syslog, to: "192.0.2.10:514"}
        - {name: file, kind: json, file: /var/log/bng/nat.jsonl}
    guard:
      dhcpv4: {line-pps: 1, line-burst: 1, port-pps: 1, port-burst: 1}
      arp: {line-pps: 1, line-burst: 1, port-pps: 1, port-burst: 1}
      neighbor: {line-pps: 1, line-burst: 1, port-pps: 1, port-burst: 1}
      pppoe: {line-pps: 1, line-burst: 1, port-pps: 1, port-burst: 1}
      ppp: {line-pps: 1, line-burst: 1, port-pps: 1, port-burst: 1}
      held: {line-pps: 1, line-burst: 1, port-pps: 1, port-burst: 1}
      fragment: {line-pps: 1, line-burst: 1, port-pps: 1, port-burst: 1}
      nd: {line-pps: 1, line-burst: 1, port-pps: 1, port-burst: 1}
      dhcpv6: {line-pps: 1, line-burst: 1, port-pps: 1, port-burst: 1}
      nat-fragment: {line-pps: 1, line-burst: 1, port-pps: 1, port-burst: 1}
      nat-alg: {line-pps: 1, line-burst: 1, port-pps: 1, port-burst: 1}
      pcp: {line-pps: 1, line-burst: 1, port-pps: 1, port-burst: 1}
      nat-ports: {line-pps: 1, line-burst: 1, port-pps: 1, port-burst: 1}
    plans: [{name: basic}]
    filters: [{name: none, default: permit, rules: [{action: deny}]}]
    aaa:
      on-reject: lock-out
      lock-out: {after: 3}
      users: {policy: deny}
      accounting: {enabled: true}
    radius:
      servers: [{name: r1, tls: {host: r1.example, certificate: a, key: b, authority: c}}]
      authentication: {servers: [r1]}
      accounting: {servers: [r1]}
      rules: [{attribute: Filter-Id, match: "{plan}"}]
      dynamic-authorization: {listen: "0.0.0.0:3799", clients: [{address: 192.0.2.10, secret-file: a}]}
    """

/// Property names of every object in a schema, by path.
private func properties(_ schema: Any, _ path: String, into found: inout [String: Set<String>]) {
    guard let schema = schema as? [String: Any] else { return }
    if let items = schema["items"] { properties(items, path, into: &found) }
    guard let keys = schema["properties"] as? [String: Any] else { return }
    found[path, default: []].formUnion(keys.keys)
    for (key, value) in keys { properties(value, path.isEmpty ? key : "\(path).\(key)", into: &found) }
}

@Suite struct SchemaTests {
    @Test func `the schema lists the keys the reader knows, no more and no fewer`() throws {
        let problems = ProblemList(file: "complete")
        var reader = ConfigurationReader(problems: problems)
        reader.read(try #require(ConfigurationReader.compose(complete, problems)))
        #expect(problems.problems.isEmpty, "\(problems.problems)")
        let data = try Data(contentsOf: repository.appending(path: "deploy/bng-controller.schema.json"))
        var listed: [String: Set<String>] = [:]
        properties(try JSONSerialization.jsonObject(with: data), "", into: &listed)
        #expect(Set(listed.keys) == Set(problems.knownKeys.keys))
        for (path, keys) in problems.knownKeys { #expect(listed[path] == keys, "at \(path)") }
    }

    @Test func `the example satisfies the schema`() async throws {
        let script = """
            import json, sys, yaml, jsonschema
            schema = json.load(open(sys.argv[1]))
            jsonschema.Draft7Validator.check_schema(schema)
            jsonschema.validate(yaml.safe_load(open(sys.argv[2])), schema)
            """
        let files = ["deploy/bng-controller.schema.json", "deploy/examples/one-box.yaml"]
        let result = try await runChild(
            "/usr/bin/python3", ["-c", script] + files.map { repository.appending(path: $0).path })
        #expect(result.status == 0)
    }
}
