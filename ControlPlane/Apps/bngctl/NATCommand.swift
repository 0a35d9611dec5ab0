// SPDX-License-Identifier: Apache-2.0
// bngctl show nat, show nat-records and nat lookup.

import AdminContract
import ArgumentParser
import Foundation

struct ShowNAT: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "nat", abstract: "Pools of public addresses and their use.")
    @OptionGroup var connection: Connection

    func run() async throws {
        try await self.connection.run(.GET, "/v1/nat/pools", as: [NATPoolView].self) { pools in
            var table = Table(
                "POOL", ">VRF", "LAYOUT", "POLICY", ">PORTS", ">ADDRESSES", ">BLOCKS", ">HELD", ">RESTING", ">USED",
                ">EXHAUSTED", "NOTE")
            for pool in pools {
                let used = pool.blocks == 0 ? 0 : pool.held * 100 / pool.blocks
                table.add(
                    pool.name, "\(pool.vrf)", pool.layout, pool.policy,
                    pool.blockPorts == 0 ? "all" : "\(pool.blockPorts)",
                    "\(pool.addresses)", "\(pool.blocks)", "\(pool.held)", "\(pool.resting)", "\(used)%",
                    "\(pool.exhausted)", pool.alarm ? "ALARM: nearly used up" : "")
            }
            return table.text
        }
    }
}

struct ShowNATRecords: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "nat-records", abstract: "Where grants and returns of ports are sent, and how far each output is.")
    @OptionGroup var connection: Connection

    func run() async throws {
        try await self.connection.run(.GET, "/v1/nat/records", as: [NATRecordOutputView].self) { outputs in
            if outputs.isEmpty { return "no nat-records are configured" }
            var table = Table(
                "OUTPUT", "KIND", "TO", "STATE", ">SEQUENCE", ">WAITING", ">SENT", ">LOST", ">FAILURES", "NOTE")
            for output in outputs {
                let state = output.problem.isEmpty ? (output.waiting == 0 ? "up to date" : "sending") : "failing"
                table.add(
                    output.name, output.kind, output.destination, state, "\(output.sequence)", "\(output.waiting)",
                    "\(output.sent)", "\(output.lost)", "\(output.failures)", output.problem)
            }
            return table.text
        }
    }
}

struct NATCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "nat", abstract: "Ask the NAT log, and forward ports.",
        subcommands: [NATLookup.self, NATForwardCommand.self])
}

struct NATLookup: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lookup", abstract: "Who holds, or held, a port of a public address.",
        discussion: "Exit code 1 if nobody did, as far as the log goes back.")
    @OptionGroup var connection: Connection
    @Argument(help: "ADDRESS:PORT, such as 192.0.2.1:40000.")
    var endpoint: String
    @Option(help: "When, such as 2026-11-23T18:00:00Z or seconds since 1970; now if not given.")
    var at: String?
    @Option(help: "Routing domain of the address.")
    var vrf: UInt32 = 0

    func validate() throws {
        guard self.parts != nil else {
            throw ValidationError("expected ADDRESS:PORT such as 192.0.2.1:40000, found \"\(self.endpoint)\"")
        }
        if let at, Self.milliseconds(at) == nil {
            throw ValidationError(
                "--at: expected a time such as 2026-11-23T18:00:00Z or seconds since 1970, found \"\(at)\"")
        }
    }

    func run() async throws {
        guard let (address, port) = self.parts else { return }
        var path = "/v1/nat/lookup?address=\(encoded(address))&port=\(port)&vrf=\(self.vrf)"
        if let time = self.at.flatMap(Self.milliseconds) { path += "&at=\(time)" }
        let data = try await self.connection.fetch(.GET, path)
        let holders = try Connection.decode([NATHolderView].self, data)
        if self.connection.json {
            try Connection.printJSON(data)
        } else if holders.isEmpty {
            FileHandle.standardError.write(Data("bngctl: the log knows nobody who held \(self.endpoint) then\n".utf8))
        } else {
            print(holders.map(Self.text).joined(separator: "\n\n"))
        }
        if holders.isEmpty { throw ExitCode(1) }
    }

    private var parts: (address: String, port: UInt16)? {
        let parts = self.endpoint.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, let port = UInt16(parts[1]) else { return nil }
        return (String(parts[0]), port)
    }

    /// Of RFC 3339, with or without a fraction of the second, or seconds since 1970.
    static func milliseconds(_ text: String) -> Int64? {
        if let seconds = Double(text) {
            guard (0..<1e11).contains(seconds) else { return nil }
            return Int64(seconds * 1_000)
        }
        let plain = Date.ISO8601FormatStyle()
        let fraction = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        guard let date = (try? Date(text, strategy: plain)) ?? (try? Date(text, strategy: fraction)) else { return nil }
        let milliseconds = date.timeIntervalSince1970 * 1_000
        return milliseconds >= 0 ? Int64(milliseconds.rounded()) : nil
    }

    private static func text(_ holder: NATHolderView) -> String {
        facts([
            ("session", holder.session), ("user", holder.user), ("line", holder.line), ("node", holder.node),
            ("inside", holder.inside),
            ("block", "\(holder.address):\(holder.firstPort)-\(holder.lastPort) of \(holder.pool), vrf \(holder.vrf)"),
            ("from", Words.time(holder.fromMs)), ("to", holder.toMs == 0 ? "still held" : Words.time(holder.toMs)),
        ])
    }
}
