// SPDX-License-Identifier: Apache-2.0
// `radius:` as values, and every kind of mistake with its place and words.

import BNGCore
import RADIUS
import RADIUSContract
import Testing

@testable import BNGConfiguration

private let head = """
    controller: {id: 1, state: /tmp/s}
    agents: {listen: [{unix: /tmp/a}]}
    nodes: [{name: edge1, ports: [{name: core0, role: core}]}]
    radius:

    """

private let small = """
      nas-ip-address: 192.0.2.1
      servers:
        - {name: r1, address: 192.0.2.10, secret-file: /etc/bng/r1.secret}
        - {name: r2, tls: {host: r2.example, certificate: a, key: b, authority: c}}
      authentication: {servers: [r1, r2]}
      accounting: {servers: [r2, r1], policy: load-balance}
      rules:
        - {attribute: Filter-Id, match: "plan:{plan}"}
      dynamic-authorization:
        listen: 0.0.0.0:3799
        clients: [{address: 192.0.2.10, secret-file: /etc/bng/coa.secret}]

    """

private let mistakes = [
    Mistake("servers: [r1, r2]", "servers: [r1, r3]", "9:", "there is no server \"r3\""),
    Mistake("servers: [r1, r2]", "servers: [r1, r1]", "9:", "r1 is given twice"),
    Mistake("servers: [r1, r2]", "servers: []", "9:", "at least one entry"),
    Mistake("policy: load-balance", "policy: random", "10:", "fail-over | load-balance"),
    Mistake("policy: load-balance", "total-time: 900ms", "10:", "more than a server's timeout (1000ms)"),
    Mistake("name: r2", "name: r1", "8:", "the name \"r1\" is given twice"),
    Mistake("address: 192.0.2.10, ", "address: r1.example, ", "7:", "an IP address, found \"r1.example\""),
    Mistake("address: 192.0.2.10, ", "", "7:", "either address or tls"),
    Mistake(", secret-file: /etc/bng/r1.secret", "", "7:", "secret-file is missing"),
    Mistake("name: r2, ", "name: r2, secret-file: x, ", "8:", "expected only without tls"),
    Mistake(", authority: c", "", "8:", "authority is missing"),
    Mistake("name: r1, ", "name: r1, timeout: 1ms, ", "7:", "from 50ms to 60000ms"),
    Mistake("name: r1, ", "name: r1, retries: 11, ", "7:", "from 0 to 10"),
    Mistake("name: r1, ", "name: r1, status-server: maybe, ", "7:", "true | false"),
    Mistake("name: r1, ", "name: r1, secret: x, ", "7:", "unknown key radius.servers[0].secret"),
    Mistake("Filter-Id", "Filter-Ids", "12:", "an attribute such as Filter-Id"),
    Mistake("plan:{plan}", "plan:{speed}", "12:", "{speed}: expected {up}"),
    Mistake("plan:{plan}", "{plan}{filter}", "12:", "two captures meet"),
    Mistake("listen: 0.0.0.0:3799", "listen: 3799", "14:", "HOST:PORT"),
    Mistake(
        "secret-file: /etc/bng/coa.secret}", "secret-file: a}, {address: 192.0.2.10, secret-file: b}", "15:",
        "192.0.2.10 is given twice"),
    Mistake("  dynamic-authorization:\n", "  dynamic-authorization:\n    window: 2d\n", "14:", "at most 1d"),
    Mistake("nas-ip-address: 192.0.2.1", "nas-port-type: dialup", "5:", "ethernet, virtual or the number"),
    Mistake("nas-ip-address: 192.0.2.1", "calling-station-id: mac", "5:", "AA-BB-CC-DD-EE-FF | "),
    Mistake("nas-ip-address: 192.0.2.1", "plan-attribute: Session-Timeout", "5:", "a text attribute"),
    Mistake("nas-ip-address: 192.0.2.1", "sockets: 65", "5:", "from 1 to 64"),
    Mistake(
        "  authentication: {servers: [r1, r2]}\n  accounting: {servers: [r2, r1], policy: load-balance}\n", "", "5:",
        "expected authentication, accounting or both"),
]

@Suite struct RADIUSSettingsTests {
    @Test func `a short section means what it says, and defaults are filled in`() throws {
        let configuration = try ControllerConfiguration(yaml: head + small, file: "c")
        let settings = try #require(configuration.radius)
        #expect(settings.nasAddress == IPv4Address("192.0.2.1") && settings.nasIdentifier == nil)
        #expect(settings.servers.map(\.name) == ["r1", "r2"])
        #expect(
            settings.servers[0].transport
                == .udp(
                    address: "192.0.2.10", authenticationPort: 1_812, accountingPort: 1_813,
                    secretFile: "/etc/bng/r1.secret"))
        #expect(
            settings.servers[1].transport
                == .tls(HostPort(host: "r2.example", port: 2_083), certificate: "a", key: "b", authority: "c"))
        #expect(settings.servers[0].timeoutMs == 1_000 && settings.servers[0].retries == 2)
        #expect(settings.servers[0].usesStatusServer && settings.servers[0].requiresMessageAuthenticator)
        #expect(settings.authentication.servers == ["r1", "r2"] && settings.authentication.policy == .failOver)
        #expect(settings.accounting.policy == .loadBalance && settings.accounting.totalMs == 30_000)
        #expect(settings.rules.first?.attribute.key == .filterID)
        #expect(settings.dynamicAuthorization?.window == 300)
        #expect(settings.dynamicAuthorization?.clients.first?.requiresMessageAuthenticator == true)
    }

    @Test func `every key can be set`() throws {
        let all = """
              nas-identifier: bng7
              nas-port-type: virtual
              called-station-id: metro
              calling-station-id: aabb.ccdd.eeff
              source-address: 2001:db8::1
              password-file: /etc/bng/line.secret
              minimum-interim: 2m
              plan-attribute: Filter-Id
              dead-time: 1m
              probe-interval: 10s
              sockets: 4
              requests: 1024
              servers:
                - name: r1
                  address: 2001:db8::10
                  auth-port: 11812
                  acct-port: 11813
                  secret-file: s
                  timeout: 500ms
                  retries: 0
                  status-server: false
                  require-message-authenticator: false
              accounting: {servers: [r1], total-time: 5s}

            """
        let settings = try #require(try ControllerConfiguration(yaml: head + all, file: "c").radius)
        #expect(settings.nasIdentifier == "bng7" && settings.nasPortType == 5 && settings.calledStation == "metro")
        #expect(settings.stationFormat == .dots && settings.sourceAddress == "2001:db8::1")
        #expect(settings.minimumInterim == 120 && settings.planAttribute?.key == .filterID)
        #expect(settings.deadMs == 60_000 && settings.probeMs == 10_000)
        #expect(settings.sockets == 4 && settings.requests == 1_024)
        #expect(settings.servers[0].timeoutMs == 500 && settings.servers[0].retries == 0)
        #expect(!settings.servers[0].usesStatusServer && !settings.servers[0].requiresMessageAuthenticator)
        #expect(settings.authentication.servers.isEmpty && settings.accounting.totalMs == 5_000)
        #expect(settings.dynamicAuthorization == nil)
    }

    @Test(arguments: mistakes) func `a mistake is reported where it is, with what was expected`(_ mistake: Mistake)
        throws
    {
        #expect(small.contains(mistake.change), "the table is out of date")
        let text = head + small.replacing(mistake.change, with: mistake.to, maxReplacements: 1)
        do {
            _ = try ControllerConfiguration(yaml: text, file: "c")
            Issue.record("accepted")
        } catch {
            let lines = error.problems.map(\.description)
            #expect(lines.contains { $0.hasPrefix("c:\(mistake.place)") && $0.contains(mistake.words) }, "\(lines)")
        }
    }
}
