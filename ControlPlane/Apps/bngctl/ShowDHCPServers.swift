// SPDX-License-Identifier: Apache-2.0
// bngctl show dhcp-servers.

import AdminContract
import ArgumentParser

struct ShowDHCPServers: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dhcp-servers", abstract: "DHCP servers outside that external pools ask.")
    @OptionGroup var connection: Connection

    func run() async throws {
        try await self.connection.run(.GET, "/v1/dhcp-servers", as: [DHCPServersView].self) { groups in
            groups.isEmpty ? "no dhcp-servers are configured" : groups.map(Self.text).joined(separator: "\n\n")
        }
    }

    private static func text(_ group: DHCPServersView) -> String {
        var table = Table("SERVER", "STATE", ">SENT", ">ANSWERED", ">UNANSWERED", ">SILENCES")
        for server in group.servers {
            table.add(
                server.address, server.state, "\(server.sent)", "\(server.answered)", "\(server.unanswered)",
                "\(server.silences)")
        }
        let counted = { (counters: [String: UInt64]) in
            counters.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        }
        return "\(group.name) \(group.family)\n" + table.text + "\n"
            + facts([
                ("held", "\(group.held)"), ("under way", "\(group.outstanding)"), ("waiting", "\(group.waiting)"),
                ("events", counted(group.counters)), ("failures", counted(group.failures)),
            ])
    }
}
