// SPDX-License-Identifier: Apache-2.0
// bngctl clear and bngctl audit: what changes something.

import AdminContract
import ArgumentParser

struct Clear: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "End a session, or remove the unknown sessions of a node.",
        subcommands: [ClearSession.self, ClearQuarantine.self])
}

struct ClearSession: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "session", abstract: "End a session; its client may begin a new one.")
    @OptionGroup var connection: Connection
    @Argument(help: "The session's id, such as 1-42.")
    var id: String

    func run() async throws {
        try await self.connection.run(
            .DELETE, "/v1/sessions/\(encoded(self.id))", as: ActionView.self, print: \.message)
    }
}

struct ClearQuarantine: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quarantine",
        abstract: "Remove the sessions a node holds that the controller does not know.",
        discussion: "They were left installed because removing them ends somebody's service. `show audit` lists them.")
    @OptionGroup var connection: Connection
    @Argument(help: "The node's name.")
    var node: String

    func run() async throws {
        try await self.connection.run(
            .DELETE, "/v1/quarantine/\(encoded(self.node))", as: ActionView.self, print: \.message)
    }
}

struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Compare every connected node with what is intended, now.")
    @OptionGroup var connection: Connection

    func run() async throws {
        try await self.connection.run(.POST, "/v1/audit", as: ActionView.self, print: \.message)
    }
}
