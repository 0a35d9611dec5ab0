// SPDX-License-Identifier: Apache-2.0
// The client against Debian's FreeRADIUS, and radclient against the server of dynamic authorization. Left out where they are
// not installed.

import BNGCore
import Foundation
import LocalAAA
import NIOCore
import NIOPosix
import RADIUS
import RADIUSContract
import RADIUSDriver
import Subscribers
import Synchronization
import TestVectors
import Testing

private let isInstalled = FileManager.default.fileExists(atPath: "/usr/sbin/freeradius")

private let users = """
    alice Auth-Type := Accept
    \tFramed-IP-Address = 100.64.0.9, Framed-IP-Netmask = 255.255.0.0, Session-Timeout = 3600, Idle-Timeout = 600,
    \tAcct-Interim-Interval = 300, Filter-Id = "plan:gold", Filter-Id += "kids", Class = 0x0102, Class += 0x03,
    \tFramed-Route = "203.0.113.0/29 0.0.0.0 1", Mikrotik-Rate-Limit = "10M/50M", MS-Primary-DNS-Server = 192.0.2.53
    dave Auth-Type := Accept
    \tFramed-IPv6-Prefix = 2001:db8:0:1::/64, Delegated-IPv6-Prefix = 2001:db8:100::/56, Framed-IPv6-Address = 2001:db8::9,
    \tFramed-Interface-Id = 0:0:0:105, Framed-IPv6-Route = "2001:db8:f::/48 :: 1", Framed-IPv6-Pool = "lines",
    \tDelegated-IPv6-Prefix-Pool = "homes", Stateful-IPv6-Address-Pool = "hosts", Route-IPv6-Information = fd00::/8,
    \tDNS-Server-IPv6-Address = 2001:db8:53::1, DNS-Server-IPv6-Address += 2001:db8:53::2
    erin Auth-Type := Accept
    \tFramed-IPv6-Prefix = 2001:db8::/48
    carol Cleartext-Password := "secret of carol"
    mallory Auth-Type := Reject
    \tReply-Message = "not you"
    bob Auth-Type := Accept, Response-Packet-Type := Access-Challenge

    """

/// FreeRADIUS by Tests/labs/freeradius.py, on loopback.
private struct FreeRADIUS {
    let folder: SecretFolder
    let authenticationPort: Int
    let accountingPort: Int
    let tlsPort: Int
    let secretFile: String
    let authority: CertificateAuthority?
    let pid: pid_t

    static func run(
        _ arguments: [String] = [], tls: Bool = false, _ body: (FreeRADIUS) async throws -> Void
    ) async throws {
        let folder = try SecretFolder()
        defer { folder.remove() }
        let ports = try await [Self.freePort(), Self.freePort(), Self.freePort()]
        let secretFile = try folder.file("secret", "s3cret")
        var options = [
            "\(folder.folder.path)/raddb", "--auth-port", "\(ports[0])", "--acct-port", "\(ports[1])", "--secret-file",
            secretFile, "--users-file", try folder.file("users", users), "--tls-port", "\(ports[2])",
        ]
        var authority: CertificateAuthority?
        if tls {
            let made = try await CertificateAuthority(folder.folder, "ca")
            try await made.issue("server", subject: "/CN=radius", alternative: "IP:127.0.0.1")
            try await made.issue("client", subject: "/CN=bng")
            options += ["--tls", made.path("server.pem"), made.path("server.key"), made.path("ca.pem")]
            authority = made
        }
        let script = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "labs/freeradius.py").path
        let pid = Mutex<pid_t>(0)
        let argv = [script] + options + arguments
        async let child = runChild("/usr/bin/python3", argv) { id in pid.withLock { $0 = id } }
        try await eventually("freeradius is ready") {
            pid.withLock { $0 } != 0 && FileManager.default.fileExists(atPath: "\(folder.folder.path)/raddb/ready")
        }
        let server = FreeRADIUS(
            folder: folder, authenticationPort: ports[0], accountingPort: ports[1], tlsPort: ports[2],
            secretFile: secretFile, authority: authority, pid: pid.withLock { $0 })
        let result = await Result { try await body(server) }
        kill(server.pid, SIGTERM)
        #expect(try await child.status == 0)
        try result.get()
    }

    private static func freePort() async throws -> Int {
        let channel = try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0).get()
        let port = channel.localAddress?.port ?? 0
        try await channel.close().get()
        return port
    }

    var configuration: RADIUSConfiguration {
        var server = RADIUSConfiguration.Server(
            name: "a",
            transport: .udp(
                address: "127.0.0.1", authenticationPort: self.authenticationPort, accountingPort: self.accountingPort,
                secretFile: self.secretFile))
        if let authority = self.authority {
            server.transport = .tls(
                host: "127.0.0.1", port: self.tlsPort, certificate: authority.path("client.pem"),
                key: authority.path("client.key"), authority: authority.path("ca.pem"))
        }
        var configuration = RADIUSConfiguration(
            servers: [server], authentication: .init(servers: ["a"], totalMs: 5_000),
            accounting: .init(servers: ["a"], totalMs: 5_000))
        configuration.mapping = AttributeMapping(
            rules: [("Filter-Id", "plan:{plan}"), ("Mikrotik-Rate-Limit", "{up}/{down}{*}")].compactMap { name, match in
                guard let entry = RADIUSDictionary.entry(named: name), let pattern = try? AttributePattern(match) else {
                    return nil
                }
                return AttributeRule(attribute: entry, pattern: pattern)
            })
        return configuration
    }

    /// Lines of the detail file.
    var detail: String {
        (try? String(contentsOfFile: "\(self.folder.folder.path)/raddb/detail", encoding: .utf8)) ?? ""
    }
}

extension Bed {
    fileprivate func ask(_ name: String, _ credential: AuthorizationRequest.Credential) async -> AuthorizationOutcome {
        var request = Self.request(name)
        request.credential = credential
        let asked = request
        return await withCheckedContinuation { continuation in
            self.client.authorize(asked) { continuation.resume(returning: $0) }
        }
    }
}

extension DriverTests {
    @Suite(.serialized, .enabled(if: isInstalled, "freeradius is not installed")) struct FreeRADIUSTests {
        @Test func `accepts, rejects and challenges are understood, by PAP and by CHAP`() async throws {
            try await FreeRADIUS.run { server in
                try await Bed.run(server.configuration) { bed async throws in
                    guard case .accept(let grant) = await bed.ask("alice") else { throw TooLate(what: "accept") }
                    #expect(grant.userName == "alice" && grant.plan == "gold" && grant.filter == "kids")
                    #expect(grant.address == IPv4Address("100.64.0.9") && grant.prefixLength == 16)
                    #expect(grant.sessionTimeout == 3_600 && grant.idleTimeout == 600 && grant.interimInterval == 300)
                    #expect(grant.classes == [[1, 2], [3]] && grant.dns == [IPv4Address("192.0.2.53")])
                    #expect(grant.routes == [IPv4Prefix("203.0.113.0/29")])
                    #expect(grant.rateUp == LineRate(bitsPerSecond: 10_000_000))
                    #expect(grant.rateDown == LineRate(bitsPerSecond: 50_000_000))
                    #expect(await bed.ask("mallory") == .reject(message: "not you"))
                    #expect(await bed.ask("nobody") == .reject(message: ""))
                    #expect(await bed.ask("bob") == .reject(message: "challenge not answerable"))
                    let password = Array("secret of carol".utf8)
                    #expect(await bed.ask("carol", .password(password)).isAccept)
                    #expect(await bed.ask("carol", .password(password + [1])) == .reject(message: ""))
                    let challenge = [UInt8](1...16)
                    let response = TestDigests().md5([9] + password + challenge)
                    let chap = AuthorizationRequest.Credential.chap(
                        identifier: 9, challenge: challenge, response: response)
                    #expect(await bed.ask("carol", chap).isAccept)
                    let wrong = AuthorizationRequest.Credential.chap(
                        identifier: 8, challenge: challenge, response: response)
                    #expect(await bed.ask("carol", wrong) == .reject(message: ""))
                }
            }
        }

        @Test func `IPv6 is granted as the server encodes it`() async throws {
            try await FreeRADIUS.run { server in
                try await Bed.run(server.configuration) { bed async throws in
                    guard case .accept(let grant) = await bed.ask("dave") else { throw TooLate(what: "accept") }
                    var expected = IPv6Grant()
                    expected.linkPrefix = IPv6Prefix("2001:db8:0:1::/64")
                    expected.delegatedPrefix = IPv6Prefix("2001:db8:100::/56")
                    (expected.address, expected.interfaceID) = (IPv6Address("2001:db8::9"), 0x105)
                    expected.routes = [IPv6Prefix("2001:db8:f::/48")].compactMap { $0 }
                    (expected.linkPool, expected.delegationPool, expected.addressPool) = ("lines", "homes", "hosts")
                    expected.advertisedRoutes = [IPv6Prefix("fd00::/8")].compactMap { $0 }
                    expected.dns = ["2001:db8:53::1", "2001:db8:53::2"].compactMap { IPv6Address($0) }
                    #expect(grant.ipv6 == expected)
                    #expect(await !bed.ask("erin").isAccept, "a /48 is no line's own prefix")
                }
            }
        }

        @Test func `MS-CHAPv2 is proven both ways, and a wrong password is told as the client expects`() async throws {
            try await FreeRADIUS.run { server in
                try await Bed.run(server.configuration) { bed async throws in
                    let (name, password) = (Array("carol".utf8), Array("secret of carol".utf8))
                    let (challenge, peerChallenge) = ([UInt8](1...16), [UInt8](17...32))
                    let response = MSCHAPv2.response(
                        challenge: challenge, peerChallenge: peerChallenge, name: name, password: password)
                    let right = AuthorizationRequest.Credential.msChapV2(
                        identifier: 9, challenge: challenge, response: response)
                    guard case .accept(let grant) = await bed.ask("carol", right) else { throw TooLate(what: "accept") }
                    let proof = MSCHAPv2.authenticatorResponse(
                        challenge: challenge, peerChallenge: peerChallenge, name: name, password: password,
                        ntResponse: Array(response[24..<48]))
                    #expect(grant.authenticationMessage == proof)
                    let wrong = AuthorizationRequest.Credential.msChapV2(
                        identifier: 9, challenge: Array(challenge.reversed()), response: response)
                    guard case .reject(let message) = await bed.ask("carol", wrong) else {
                        throw TooLate(what: "reject")
                    }
                    #expect(message.hasPrefix("E=691 R=1 C="), "\(message)")
                    // Auth-Type := Accept decides without looking: nobody has proven anything to the client.
                    guard case .reject(let unproven) = await bed.ask("alice", right) else {
                        throw TooLate(what: "reject")
                    }
                    #expect(unproven.contains("MS-CHAP2-Response"), "\(unproven)")
                }
            }
        }

        @Test func `answers of a server that does not sign are refused`() async throws {
            try await FreeRADIUS.run(["--unsigned"]) { server in
                var configuration = server.configuration
                configuration.servers[0].timeoutMs = 100
                try await Bed.run(configuration) { bed async throws in
                    #expect(await bed.ask("alice") == .unavailable)
                    #expect(try await bed.status().counters.missingMessageAuthenticator > 0)
                    #expect(await bed.account())
                }
                configuration.servers[0].requiresMessageAuthenticator = false
                try await Bed.run(configuration) { bed async throws in #expect(await bed.ask("alice").isAccept) }
            }
        }

        @Test func `records are in the detail file, whole`() async throws {
            try await FreeRADIUS.run { server in
                try await Bed.run(server.configuration) { bed async throws in
                    var record = Bed.record(.stop, secondsAgo: 61)
                    record.totals.upBytes = 5 << 32 | 7
                    record.classes = [[1, 2], [3]]
                    record.facts.circuitID = Array("olt1 1/1/4".utf8)
                    (record.totals.ipv6.upBytes, record.totals.ipv6.downPackets) = (4 << 32 | 6, 3)
                    var ipv6 = IPv6Details()
                    ipv6.link = .init(prefix: try #require(IPv6Prefix("2001:db8:0:1::/64")), pool: "lines")
                    let delegated = IPv6Details.Resource(
                        prefix: try #require(IPv6Prefix("2001:db8:100::/56")), pool: "homes")
                    let address = IPv6Details.Resource(
                        prefix: try #require(IPv6Prefix("2001:db8::9/128")), pool: "hosts")
                    ipv6.bindings = [
                        .init(isDelegation: true, iaid: 1, resource: delegated),
                        .init(isDelegation: false, iaid: 1, resource: address),
                    ]
                    (record.ipv6, record.interfaceID) = (ipv6, 0x105)
                    for kind in [AccountingRecord.Kind.on, .start, .interim, .stop, .off] {
                        record.kind = kind
                        #expect(await bed.account(record))
                    }
                }
                let detail = server.detail
                for line in [
                    "Acct-Status-Type = Accounting-On", "Acct-Status-Type = Start", "Acct-Status-Type = Interim-Update",
                    "Acct-Status-Type = Stop", "Acct-Status-Type = Accounting-Off", "Acct-Input-Gigawords = 5",
                    "Acct-Input-Octets = 7", "Class = 0x0102", "Class = 0x03", "Acct-Terminate-Cause = User-Request",
                    "ADSL-Agent-Circuit-Id = ", "NAS-Port-Type = Ethernet", "Service-Type = Framed-User",
                    "Framed-IP-Address = 100.64.0.1", "Acct-Delay-Time = 6", "Event-Timestamp = ",
                    "Framed-IPv6-Prefix = 2001:db8:0:1::/64", "Delegated-IPv6-Prefix = 2001:db8:100::/56",
                    "Framed-IPv6-Address = 2001:db8::9", "Framed-Interface-Id = 0:0:0:105",
                    "ERX-IPv6-Acct-Input-Octets = 6", "ERX-IPv6-Acct-Input-Gigawords = 4",
                    "ERX-IPv6-Acct-Output-Packets = 3",
                ] { #expect(detail.contains(line), "\(line)") }
            }
        }

        @Test func `a paused server dies, its Status-Server revives it, and nothing late is believed twice`()
            async throws
        {
            try await FreeRADIUS.run { server in
                var configuration = server.configuration
                configuration.servers[0].timeoutMs = 100
                configuration.liveness.zombieMs = 100
                configuration.liveness.probeMs = 100
                try await Bed.run(configuration) { bed async throws in
                    try await eventually("an accept") { await bed.ask("alice").isAccept }
                    kill(server.pid, SIGUSR1)
                    try await eventually("death") {
                        _ = await bed.ask("alice")
                        return try await bed.status().state == .dead
                    }
                    kill(server.pid, SIGUSR2)
                    try await eventually("revival") { try await bed.status().state == .alive }
                    #expect(try await bed.status().counters.probeAnswers > 0)
                    try await eventually("an accept") { await bed.ask("alice").isAccept }
                }
            }
        }

        @Test(arguments: ["1.2", "1.3"]) func `RadSec carries authentication and accounting`(_ version: String)
            async throws
        {
            try await FreeRADIUS.run(["--tls-max-version", version], tls: true) { server in
                try await Bed.run(server.configuration) { bed async throws in
                    try await eventually("an accept") { await bed.ask("alice").isAccept }
                    #expect(await bed.ask("mallory") == .reject(message: "not you"))
                    #expect(await bed.account())
                }
                #expect(server.detail.contains("Acct-Status-Type = Stop"))
            }
        }

        @Test func `radclient disconnects, changes, and hears why not`() async throws {
            let folder = try SecretFolder()
            defer { folder.remove() }
            let file = try folder.file("secret", "c0a")
            var configuration = DynamicAuthorizationConfiguration(
                host: "127.0.0.1", port: 0, clients: [.init(address: "127.0.0.1", secretFile: file)])
            configuration.mapping = AttributeMapping(rules: [])
            let prefixes = ["2001:db8:0:1::/64", "2001:db8:100::/56"].compactMap { IPv6Prefix($0) }
            let server = try DynamicAuthorizationServer(
                configuration: configuration,
                handler: { request, done in
                    done(
                        request.target.accountingID == "1-17" || request.target.prefixes == prefixes
                            ? .done : .refused(.sessionContextNotFound, "no such session")
                    )
                }, group: MultiThreadedEventLoopGroup.singleton, logger: LogLines().logger)
            try await server.start()
            let port = try #require(server.localAddress?.port)
            let stamp = UTCTime.ofHost().milliseconds / 1_000
            func radclient(_ command: String, _ attributes: String) async throws -> String {
                let input = try folder.file(
                    "input", "Message-Authenticator = 0x00\nEvent-Timestamp = \(stamp)\n\(attributes)\n")
                let arguments = ["-x", "-r", "1", "-t", "5", "-S", file, "-f", input, "127.0.0.1:\(port)", command]
                return try await runChild("/usr/bin/radclient", arguments).output
            }
            #expect(try await radclient("disconnect", "Acct-Session-Id = \"1-17\"").contains("Received Disconnect-ACK"))
            let change = "Acct-Session-Id = \"1-17\"\nSession-Timeout = 60\nFilter-Id = \"kids\""
            #expect(try await radclient("coa", change).contains("Received CoA-ACK"))
            let ipv6 = "Framed-IPv6-Prefix = 2001:db8:0:1::/64\nDelegated-IPv6-Prefix = 2001:db8:100::/56"
            #expect(try await radclient("disconnect", ipv6).contains("Received Disconnect-ACK"))
            let unknown = try await radclient("disconnect", "Acct-Session-Id = \"1-18\"")
            #expect(unknown.contains("Received Disconnect-NAK") && unknown.contains("Session-Context-Not-Found"))
            #expect(unknown.contains("no such session"))
            let refused = try await radclient("coa", "Acct-Session-Id = \"1-17\"\nFramed-Pool = \"x\"")
            #expect(refused.contains("Received CoA-NAK") && refused.contains("Unsupported-Attribute"))
            await server.stop()
        }
    }
}

extension Result where Failure == any Error {
    fileprivate init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
