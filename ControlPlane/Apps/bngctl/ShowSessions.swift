// SPDX-License-Identifier: Apache-2.0
// bngctl show sessions, session and history.

import AdminContract
import ArgumentParser
import Foundation

struct ShowSessions: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sessions", abstract: "Live sessions, ascending by id.")
    @OptionGroup var connection: Connection

    @Option(help: "Only sessions on this node.")
    var node: String?
    @Option(help: "Only sessions of this pool.")
    var pool: String?
    @Option(help: "Only the session with this client MAC address.")
    var mac: String?
    @Option(help: "Only the session with this address.")
    var address: String?
    @Option(help: "Only sessions of this user name.")
    var user: String?
    @Option(help: "Only sessions after this id.")
    var after: String?
    @Option(help: "At most this many; 0: all.")
    var limit = 0

    mutating func validate() throws {
        guard self.limit >= 0 else { throw ValidationError("--limit is 0 or more") }
    }

    func run() async throws {
        var sessions: [SessionView] = []
        var after = self.after
        repeat {
            let left = self.limit == 0 ? 1_000 : min(1_000, self.limit - sessions.count)
            let data = try await self.connection.fetch(.GET, self.path(after: after, limit: left))
            let page = try Connection.decode(SessionPage.self, data)
            sessions += page.sessions
            after = page.next
        } while after != nil && (self.limit == 0 || sessions.count < self.limit)
        if self.connection.json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys]
            return try Connection.printJSON(try encoder.encode(SessionPage(sessions: sessions, next: after)))
        }
        print(Self.table(sessions))
        print("\(sessions.count) sessions\(after == nil ? "" : ", more after \(after ?? "")")")
    }

    private func path(after: String?, limit: Int) -> String {
        var query = ["limit=\(limit)"]
        for (name, value) in [
            ("after", after), ("node", self.node), ("pool", self.pool), ("mac", self.mac), ("address", self.address),
            ("user", self.user),
        ] {
            if let value { query.append("\(name)=\(encoded(value))") }
        }
        return "/v1/sessions?" + query.joined(separator: "&")
    }

    private static func table(_ sessions: [SessionView]) -> String {
        var table = Table(
            "SESSION", "NODE", "PHASE", "DOMAIN", "VLAN", "MAC", "ADDRESS", "IPV6", "USER", "PLAN", ">DOWN", ">UP",
            "LEASE", "AGE")
        for session in sessions {
            table.add(
                session.id, session.node, session.phase, session.accessDomain, session.vlan, session.mac,
                session.address, session.ipv6?.shortest ?? "", session.service.userName, session.service.plan,
                Words.rate(session.service.rateDownBps), Words.rate(session.service.rateUpBps),
                Words.distance(session.leaseExpiresMs), Words.distance(session.startedMs))
        }
        return table.text
    }
}

struct ShowSession: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "session", abstract: "One session, live or ended, with its counters.")
    @OptionGroup var connection: Connection
    @Argument(help: "The session's id, such as 1-42.")
    var id: String

    func run() async throws {
        try await self.connection.run(.GET, "/v1/sessions/\(encoded(self.id))", as: SessionView.self) { session in
            var pairs =
                Self.identity(session) + Self.nat(session.nat) + Self.ipv6(session.ipv6) + Self.link(session.pppoe)
                + Self.service(session.service)
            if let counters = session.counters {
                pairs += [
                    ("up", "\(counters.upPackets) packets, \(Words.bytes(counters.upBytes))"),
                    ("down", "\(counters.downPackets) packets, \(Words.bytes(counters.downBytes))"),
                    ("dropped", "\(counters.droppedPackets) packets"),
                    (
                        "last drop",
                        counters.lastDropReason.isEmpty
                            ? "" : "\(counters.lastDropReason), \(Words.distance(counters.lastDropMs))"
                    ),
                    ("fast-path replies", session.pppoe == nil ? "\(counters.fastPathReplies)" : ""),
                ]
                if session.nat != nil {
                    pairs.append(
                        (
                            "nat",
                            "\(counters.natMappings) ports in use, \(counters.natFlows) connections;"
                                + " \(counters.natMappingsCreated) ports ever, \(counters.natRefused) packets refused"
                        ))
                }
                if session.ipv6 != nil {
                    pairs += [
                        (
                            "of it ipv6",
                            "up \(counters.ipv6UpPackets) packets, \(Words.bytes(counters.ipv6UpBytes)); down"
                                + " \(counters.ipv6DownPackets) packets, \(Words.bytes(counters.ipv6DownBytes))"
                        ),
                        (
                            "by the node",
                            "\(counters.routerAdvertisements) router advertisements,"
                                + " \(counters.dhcpv6FastPathReplies) renewals by DHCPv6"
                        ),
                    ]
                }
                if session.pppoe != nil {
                    pairs.append(
                        (
                            "echoes",
                            "\(counters.echoesAnswered) answered, \(counters.echoesSent) sent,"
                                + " \(counters.echoReplies) came back"
                        ))
                }
            } else {
                pairs.append(("counters", "the node does not answer"))
            }
            for note in session.notes { pairs.append((note.kind, "\(Words.time(note.atMs)) \(note.text)")) }
            return facts(pairs)
        }
    }

    private static func identity(_ session: SessionView) -> [(String, String)] {
        [
            ("session", session.id), ("node", session.node), ("port", session.port), ("phase", session.phase),
            ("access domain", session.accessDomain), ("vlan", session.vlan), ("mac", session.mac),
            ("relay", session.relay), ("vrf", "\(session.vrf)"), ("address", session.address),
            ("pool", session.pool), ("dhcp servers", session.externalServers.joined(separator: ", ")),
            ("host name", session.hostName), ("client id", session.clientID),
            ("option 82", session.option82), ("generation", "\(session.generation)"),
            ("started", Words.time(session.startedMs)),
            (
                "lease ends",
                session.leaseExpiresMs == 0
                    ? "" : "\(Words.time(session.leaseExpiresMs)) (\(Words.distance(session.leaseExpiresMs)))"
            ),
            ("ended", session.endedMs > 0 ? Words.time(session.endedMs) : ""), ("cause", session.cause),
        ]
    }

    private static func nat(_ nat: SessionView.NAT?) -> [(String, String)] {
        guard let nat else { return [] }
        return [
            ("public address", nat.address), ("public ports", nat.ports.joined(separator: ", ")),
            ("forwards", nat.forwards.joined(separator: ", ")), ("nat pool", nat.pool), ("nat policy", nat.policy),
        ]
    }

    private static func ipv6(_ ipv6: SessionView.IPv6?) -> [(String, String)] {
        guard let ipv6 else { return [] }
        return [
            ("ipv6 prefix", ipv6.prefix), ("ipv6 addresses", ipv6.addresses.joined(separator: ", ")),
            ("delegated", ipv6.delegated.joined(separator: ", ")), ("prefix pools", ipv6.pools.joined(separator: ", ")),
            ("duid", ipv6.duid), ("withdrawn", ipv6.stale.joined(separator: ", ")),
            (
                "ipv6 lease ends",
                ipv6.leaseExpiresMs == 0
                    ? "" : "\(Words.time(ipv6.leaseExpiresMs)) (\(Words.distance(ipv6.leaseExpiresMs)))"
            ),
        ]
    }

    private static func link(_ pppoe: SessionView.PPPoE?) -> [(String, String)] {
        guard let pppoe else { return [] }
        return [
            ("pppoe id", "\(pppoe.id)"), ("service name", pppoe.service), ("authentication", pppoe.authentication),
            ("mtu", "\(pppoe.mtu)"), ("our address", pppoe.local),
            ("magic numbers", "\(pppoe.localMagic) ours, \(pppoe.peerMagic) the client's"),
            (
                "interface ids",
                pppoe.peerInterfaceID == "0:0:0:0"
                    ? "" : "\(pppoe.localInterfaceID) ours, \(pppoe.peerInterfaceID) the client's"
            ),
        ]
    }

    /// What is in force; lines without a value are left out by `facts`.
    private static func service(_ service: SessionView.Service) -> [(String, String)] {
        func seconds(_ value: UInt32) -> String { value == 0 ? "" : "\(value) s" }
        func rate(_ bps: UInt64, _ burst: UInt32) -> String {
            bps == 0 ? "not policed" : "\(Words.rate(bps)), burst \(Words.bytes(UInt64(burst)))"
        }
        return [
            ("user", service.userName), ("granted by", service.source),
            ("plan", service.plan.isEmpty ? "" : "\(service.plan) version \(service.planVersion)"),
            ("garden", service.isGarden ? "yes" : ""),
            ("rate down", rate(service.rateDownBps, service.burstDownBytes)),
            ("rate up", rate(service.rateUpBps, service.burstUpBytes)), ("filter", service.filter),
            ("session timeout", seconds(service.sessionTimeoutSeconds)),
            (
                "session ends",
                service.endsMs > 0 ? "\(Words.time(service.endsMs)) (\(Words.distance(service.endsMs)))" : ""
            ),
            ("at its end", service.endsMs > 0 ? service.terminationAction : ""),
            ("idle timeout", seconds(service.idleTimeoutSeconds)),
            ("interim interval", service.accountingID.isEmpty ? "" : seconds(service.interimSeconds)),
            ("accounting id", service.accountingID), ("framed address", service.framedAddress),
            ("prefix length", service.prefixLength == 0 ? "" : "\(service.prefixLength)"),
            ("framed routes", service.routes.joined(separator: ", ")), ("dns", service.dns.joined(separator: ", ")),
            ("sessions per user", service.sessionsPerUser == 0 ? "" : "\(service.sessionsPerUser)"),
            ("class", service.classes.joined(separator: ", ")), ("reply message", service.replyMessage),
        ]
    }
}

struct ShowHistory: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "history", abstract: "Ended sessions, newest first.")
    @OptionGroup var connection: Connection
    @Option(help: "At most this many, 1 to 1000.")
    var limit = 50
    @Option(help: "Only sessions of this user name.")
    var user: String?

    mutating func validate() throws {
        guard (1...1_000).contains(self.limit) else { throw ValidationError("--limit is 1 to 1000") }
    }

    func run() async throws {
        var path = "/v1/history?limit=\(self.limit)"
        if let user { path += "&user=\(encoded(user))" }
        try await self.connection.run(.GET, path, as: [SessionView].self) { sessions in
            var table = Table(
                "SESSION", "NODE", "USER", "PLAN", "VLAN", "MAC", "ADDRESS", "STARTED", "ENDED", "CAUSE", ">UP", ">DOWN"
            )
            for session in sessions {
                table.add(
                    session.id, session.node, session.service.userName, session.service.plan, session.vlan,
                    session.mac, session.address,
                    Words.time(session.startedMs), Words.time(session.endedMs), session.cause,
                    Words.bytes(session.counters?.upBytes ?? 0), Words.bytes(session.counters?.downBytes ?? 0))
            }
            return table.text
        }
    }
}

extension SessionView.IPv6 {
    /// One of what is held, for a table: the line's prefix, else what DHCPv6 gave.
    var shortest: String {
        [self.prefix, self.delegated.first ?? "", self.addresses.first ?? ""].first { !$0.isEmpty } ?? ""
    }
}
