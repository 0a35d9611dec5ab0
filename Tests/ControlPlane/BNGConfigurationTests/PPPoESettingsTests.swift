// SPDX-License-Identifier: Apache-2.0
// `pppoe:` of an access domain: as values, as what a node is told, and every kind of mistake with its words.

import BNGCore
import Fleet
import Testing

@testable import BNGConfiguration

private func file(_ pppoe: String) -> String {
    """
    controller: {id: 1, state: /tmp/s.sqlite}
    agents: {listen: [{unix: /tmp/a.sock}]}
    access-domains:
      - name: metro
        id: 7
        pool: cgn
        server-identity: 10.0.0.1
    \(pppoe)
    nodes:
      - {name: edge1, ports: [{name: access0, role: access, access-domain: metro}, {name: core0, role: core}]}
    pools:
      - {name: cgn, prefix: 10.0.0.0/16, gateway: 10.0.0.1, ranges: [10.0.1.0-10.0.1.255], lease: 1h}
    """
}

private let full = """
        pppoe:
          ac-name: edge
          services: [internet, voip]
          authentication: [ms-chap-v2, pap]
          mru: 1500
          echo-interval: 10s
          echo-failures: 5
          pado-delay: 20ms
          pado-delay-loaded: {sessions: 100, delay: 500ms}
          sessions-per-mac: 2
          sessions-per-line: 8
          sessions-per-node: 1000
          ipv6cp: false
          clamp-mss: false
    """

private func service(_ pppoe: String, sessions: Int) throws -> PPPoEServicePolicy? {
    let key = [UInt8](repeating: 1, count: 16)
    let objects = try ControllerConfiguration(yaml: file(pppoe), file: "f").objects(
        of: "edge1", pppoe: PPPoEServing(cookieKey: key, previousCookieKey: [], sessions: sessions))
    return objects.lazy.compactMap { if case .pppoeService(let service) = $0.body { service } else { nil } }.first
}

@Suite struct PPPoESettingsTests {
    @Test func `everything that is said is read`() throws {
        let settings = try #require(
            try ControllerConfiguration(yaml: file(full), file: "f").accessDomains.first?.pppoe)
        #expect(settings.acName == "edge" && settings.services == ["internet", "voip"] && !settings.anyService)
        #expect(settings.authentication == [.msChapV2, .pap] && settings.mru == 1_500)
        #expect(settings.echoInterval == 10 && settings.echoFailures == 5 && settings.padoDelay == 20)
        #expect(settings.loadedSessions == 100 && settings.loadedDelay == 500)
        #expect((settings.sessionsPerMAC, settings.sessionsPerLine, settings.sessionsPerNode) == (2, 8, 1_000))
        #expect(!settings.ipv6cp && !settings.clampMSS)
    }

    @Test func `what is not said has the documented defaults`() throws {
        let domains = try ControllerConfiguration(yaml: file("    pppoe: {}"), file: "f").accessDomains
        var expected = PPPoESettings()
        expected.acName = "bng-metro"
        #expect(domains[0].pppoe == expected)
        #expect(try ControllerConfiguration(yaml: file(""), file: "f").accessDomains[0].pppoe == nil)
        let open = try ControllerConfiguration(
            yaml: file("    pppoe: {authentication: [none], echo-interval: 0s}"), file: "f")
        #expect(open.accessDomains[0].pppoe?.authentication == [])
        #expect(open.accessDomains[0].pppoe?.echoFailures == 0)
    }

    @Test func `a node is told what it offers, and to wait when it is loaded`() throws {
        let idle = try #require(try service(full, sessions: 99))
        #expect(idle.accessDomain == 7 && idle.acName == "edge" && idle.maxPayload == 1_500 && idle.padoDelay == 20)
        #expect(try service(full, sessions: 100)?.padoDelay == 500)
        #expect(try service("    pppoe: {}", sessions: 0)?.maxPayload == 0)
        #expect(try service("", sessions: 0) == nil)
    }

    @Test(arguments: [
        ("{mru: 575}", "mru: expected a number from 576 to 9000"),
        ("{authentication: [chap, eap]}", "pap | chap | ms-chap-v2, or none alone"),
        ("{authentication: [pap, pap]}", "each word once"),
        ("{services: [a, a]}", "none of them twice"),
        ("{ac-name: \"\(String(repeating: "x", count: 65))\"}", "a name of 1 to 64 bytes"),
        ("{echo-interval: 2h}", "expected at most 1h"),
        ("{echo-failures: 0}", "echo-failures: expected a number from 1 to 255"),
        ("{pado-delay: 11s}", "pado-delay: expected a duration from 0ms to 10000ms"),
        ("{pado-delay-loaded: {delay: 1s}}", "sessions is missing"),
        ("{sessions-per-mac: 0}", "sessions-per-mac: expected a number from 1 to 64"),
        ("{mtu: 1492}", "unknown key access-domains[0].pppoe.mtu"),
    ])
    func `a mistake is named with what was expected`(_ text: String, _ words: String) {
        do throws(ConfigurationError) {
            _ = try ControllerConfiguration(yaml: file("    pppoe: \(text)"), file: "f")
            Issue.record("accepted: \(text)")
        } catch {
            #expect("\(error)".contains(words), "\(error)")
        }
    }
}
