// SPDX-License-Identifier: Apache-2.0
// bngctl subscriber show and hash: what reads, and what makes a record for the file of subscribers.

import AdminContract
import ArgumentParser
import Foundation

struct SubscriberShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "One subscriber, or all by name.")
    @OptionGroup var connection: Connection
    @Argument(help: "The user name; without it all are listed.")
    var name: String?
    @Option(help: "At most this many, 1 to 1000.")
    var limit = 100
    @Option(help: "Only those whose name comes after this one.")
    var after: String?

    mutating func validate() throws {
        guard (1...1_000).contains(self.limit) else { throw ValidationError("--limit is 1 to 1000") }
    }

    func run() async throws {
        if let name {
            return try await self.connection.run(
                .GET, Subscriber.path(name), as: SubscriberView.self, print: Self.text)
        }
        var path = "/v1/subscribers?limit=\(self.limit)"
        if let after { path += "&after=\(encoded(after))" }
        try await self.connection.run(.GET, path, as: SubscriberPage.self, print: Self.table)
    }

    private static func text(_ subscriber: SubscriberView) -> String {
        facts([
            ("name", subscriber.name), ("state", subscriber.suspended ? "suspended" : "active"),
            ("plan", subscriber.plan), ("address", subscriber.address), ("pool", subscriber.pool),
            ("ipv6 prefix", subscriber.ipv6Prefix), ("delegated prefix", subscriber.delegatedPrefix),
            ("ipv6 address", subscriber.ipv6Address), ("routes", subscriber.routes.joined(separator: ", ")),
            ("password", subscriber.password.isEmpty ? "none: the line is the proof" : subscriber.password),
            ("defined in", subscriber.file), ("note", subscriber.note),
        ])
    }

    private static func table(_ page: SubscriberPage) -> String {
        var table = Table("NAME", "STATE", "PLAN", "ADDRESS", "POOL", "PASSWORD", "FILE", "NOTE")
        for subscriber in page.subscribers {
            table.add(
                subscriber.name, subscriber.suspended ? "suspended" : "active", subscriber.plan, subscriber.address,
                subscriber.pool, subscriber.password, subscriber.file, subscriber.note)
        }
        return page.next.map { table.text + "\nmore: --after '\($0)'" } ?? table.text
    }
}

struct SubscriberHash: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hash", abstract: "Print the record of a password, for the file of subscribers.",
        discussion: "A sealed record is good for this name only.")
    @OptionGroup var connection: Connection
    @Argument(help: "The user name.")
    var name: String
    @OptionGroup var password: PasswordOptions

    func run() async throws {
        guard let text = try self.password.read() else {
            throw ValidationError("--password-file or --password-stdin is needed")
        }
        let request = PasswordRequest(name: self.name, password: text, sealed: self.password.sealed)
        try await self.connection.run(
            .POST, "/v1/password-records", sending: request, as: PasswordRecordView.self, print: \.record)
    }
}
