// SPDX-License-Identifier: Apache-2.0
// bngctl nat forward: the ports of a session that lead in.

import AdminContract
import ArgumentParser
import Foundation

struct NATForwardCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "forward", abstract: "Forward ports of a session's public address, for as long as it lives.",
        subcommands: [NATForwardAdd.self, NATForwardRemove.self, NATForwardList.self])

    static func path(_ session: String, _ forward: String = "") -> String {
        "/v1/sessions/\(encoded(session))/forwards" + (forward.isEmpty ? "" : "/\(encoded(forward))")
    }
}

struct NATForwardAdd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Forward a port; returns once the node has confirmed.")
    @OptionGroup var connection: Connection
    @Argument(help: "The session's id, such as 1-42.")
    var session: String
    @Argument(
        help: "PROTOCOL:PORT:[ADDRESS:]PORT such as tcp:5000:80; the public port may be * for any of the session's.")
    var forward: String

    func run() async throws {
        try await self.connection.run(
            .PUT, NATForwardCommand.path(self.session, self.forward), as: ActionView.self, print: \.message)
    }
}

struct NATForwardRemove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "remove", abstract: "End a forward.")
    @OptionGroup var connection: Connection
    @Argument(help: "The session's id, such as 1-42.")
    var session: String
    @Argument(help: "PROTOCOL:PORT such as tcp:5000.")
    var forward: String

    func run() async throws {
        try await self.connection.run(
            .DELETE, NATForwardCommand.path(self.session, self.forward), as: ActionView.self, print: \.message)
    }
}

struct NATForwardList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "The forwards of a session, those its customer asked for among them.")
    @OptionGroup var connection: Connection
    @Argument(help: "The session's id, such as 1-42.")
    var session: String

    func run() async throws {
        try await self.connection.run(.GET, NATForwardCommand.path(self.session), as: [NATForwardView].self) {
            forwards in
            var table = Table("PROTOCOL", "PUBLIC", "INSIDE", "BY", "UNTIL")
            for forward in forwards {
                table.add(
                    forward.transport, "\(forward.address):\(forward.port)", "\(forward.inside):\(forward.insidePort)",
                    forward.origin, forward.expiresMs == 0 ? "" : Words.time(forward.expiresMs))
            }
            return table.text
        }
    }
}
