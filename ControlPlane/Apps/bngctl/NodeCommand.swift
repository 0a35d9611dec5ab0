// SPDX-License-Identifier: Apache-2.0
// bngctl node: who may be a node.

import AdminContract
import ArgumentParser

struct NodeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "node", abstract: "Let nodes in, or send them away.",
        discussion: "A node is meant by the beginning of its key's fingerprint, its serial number or its name.",
        subcommands: [NodeList.self, NodeApprove.self, NodeReject.self, NodeForget.self])
}

struct NodeList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Keys that asked to be nodes, those that wait among them.")
    @OptionGroup var connection: Connection

    func run() async throws {
        try await self.connection.run(.GET, "/v1/enrolments", as: [EnrolmentView].self) { entries in
            var table = Table(
                "FINGERPRINT", "STATUS", "NODE", "SERIAL", "FROM", "TPM", "INTERFACES", "LAST SEEN", "CERTIFICATE",
                "NOTE")
            for entry in entries {
                let wanted = entry.requestedName.isEmpty ? "" : "(asks: \(entry.requestedName))"
                let certificate =
                    entry.certificate.isEmpty
                    ? "" : entry.revoked ? "revoked" : "until \(Words.time(entry.certificateEndsMs))"
                table.add(
                    String(entry.fingerprint.prefix(16)), entry.status, entry.node.isEmpty ? wanted : entry.node,
                    entry.serial, entry.address, String(entry.endorsementKey.prefix(16)),
                    entry.interfaces.joined(separator: ","), Words.distance(entry.lastSeenMs), certificate, entry.reason
                )
            }
            return table.text
        }
    }
}

struct NodeApprove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "approve",
        abstract: "Let a node in: it gets a certificate the next time it asks, within seconds.",
        discussion: "Whoever was that node before loses its certificate.")
    @OptionGroup var connection: Connection
    @Argument(help: "Its fingerprint, serial or name.")
    var id: String
    @Option(name: .customLong("as"), help: "The node of the configuration it becomes; else the name it asks for.")
    var node = ""

    func run() async throws {
        let query = self.node.isEmpty ? "" : "?node=\(encoded(self.node))"
        try await self.connection.run(
            .POST, "/v1/enrolments/\(encoded(self.id))/approve\(query)", as: ActionView.self, print: \.message)
    }
}

struct NodeReject: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reject",
        abstract: "Refuse a node for good: its certificates are revoked and its connection ends. It goes on forwarding."
    )
    @OptionGroup var connection: Connection
    @Argument(help: "Its fingerprint, serial or name.")
    var id: String

    func run() async throws {
        try await self.connection.run(
            .POST, "/v1/enrolments/\(encoded(self.id))/reject", as: ActionView.self, print: \.message)
    }
}

struct NodeForget: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "forget", abstract: "Forget a node's key and revoke its certificates; it may ask again.")
    @OptionGroup var connection: Connection
    @Argument(help: "Its fingerprint, serial or name.")
    var id: String

    func run() async throws {
        try await self.connection.run(
            .DELETE, "/v1/enrolments/\(encoded(self.id))", as: ActionView.self, print: \.message)
    }
}
