// SPDX-License-Identifier: Apache-2.0
// bngctl subscriber: the subscribers the controller knows itself. Passwords come from a file or standard input, never from arguments.

import AdminContract
import ArgumentParser
import Foundation
import NIOHTTP1

struct Subscriber: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Add, change, suspend, delete and show local subscribers.",
        subcommands: [
            SubscriberAdd.self, SubscriberSet.self, SubscriberSuspend.self, SubscriberResume.self,
            SubscriberDelete.self, SubscriberShow.self, SubscriberHash.self,
        ])

    static func path(_ name: String) -> String { "/v1/subscribers/\(encoded(name))" }
}

/// What add and set have in common.
struct SubscriberOptions: ParsableArguments {
    @Option(help: "The plan; without one the default plan.")
    var plan: String?
    @Option(help: "This IPv4 address and no other.")
    var address: String?
    @Option(help: "The pool; without one the plan's or the access domain's.")
    var pool: String?
    @Option(help: "The line's own IPv6 prefix, this one and no other.")
    var ipv6Prefix: String?
    @Option(help: "The prefix a DHCPv6 client is delegated, this one and no other.")
    var delegatedPrefix: String?
    @Option(help: "The address a DHCPv6 client is given, this one and no other.")
    var ipv6Address: String?
    @Option(name: .customLong("route"), help: "A prefix behind the customer, IPv4 or IPv6; may be repeated.")
    var routes: [String] = []
    @Option(help: "Words for people.")
    var note: String?
    @OptionGroup var password: PasswordOptions

    func settings() throws -> SubscriberSettings {
        var settings = SubscriberSettings()
        (settings.plan, settings.address, settings.pool, settings.note) = (
            self.plan, self.address, self.pool, self.note
        )
        (settings.ipv6Prefix, settings.delegatedPrefix, settings.ipv6Address) = (
            self.ipv6Prefix, self.delegatedPrefix, self.ipv6Address
        )
        if !self.routes.isEmpty { settings.routes = self.routes }
        if let password = try self.password.read() {
            (settings.password, settings.sealed) = (password, self.password.sealed)
        }
        return settings
    }
}

struct PasswordOptions: ParsableArguments {
    @Option(help: "A file whose first line is the password; for its owner only.")
    var passwordFile: String?
    @Flag(help: "Read one line from standard input as the password.")
    var passwordStdin = false
    @Flag(help: "Keep the password so that CHAP can use it, under aaa.key-file; without this only PAP can.")
    var sealed = false

    func validate() throws {
        if self.passwordFile != nil, self.passwordStdin {
            throw ValidationError("either --password-file or --password-stdin")
        }
        if self.sealed, self.passwordFile == nil, !self.passwordStdin {
            throw ValidationError("--sealed needs --password-file or --password-stdin")
        }
    }

    /// nil: no password is given.
    func read() throws -> String? {
        if self.passwordStdin { return try Self.checked(readLine(strippingNewline: true), "standard input") }
        guard let path = self.passwordFile else { return nil }
        var status = stat()
        guard stat(path, &status) == 0 else { throw Self.failure("\(path): \(String(cString: strerror(errno)))") }
        if status.st_mode & S_IFMT == S_IFREG, status.st_mode & 0o077 != 0 {
            throw Self.failure("\(path): others could read it: expected mode 600")
        }
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw Self.failure("\(path): expected a readable file in UTF-8")
        }
        return try Self.checked(text.split(separator: "\n", maxSplits: 1).first.map(String.init), path)
    }

    private static func checked(_ password: String?, _ source: String) throws -> String {
        guard let password, !password.isEmpty else {
            throw self.failure("\(source): expected a password, found nothing")
        }
        return password
    }

    private static func failure(_ words: String) -> any Error {
        FileHandle.standardError.write(Data("bngctl: \(words)\n".utf8))
        return ExitCode(1)
    }
}

struct SubscriberAdd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Add a subscriber.",
        discussion: """
            NAME is the user name AAA is asked with: what aaa.user-name makes of a line, or a login. Without a password the
            line is the proof.
            """)
    @OptionGroup var connection: Connection
    @Argument(help: "The user name.")
    var name: String
    @Flag(help: "Add it suspended.")
    var suspended = false
    @OptionGroup var options: SubscriberOptions

    func run() async throws {
        var settings = try self.options.settings()
        if self.suspended { settings.suspended = true }
        try await self.connection.run(.PUT, Subscriber.path(self.name), sending: settings, as: SubscriberView.self) {
            "subscriber \($0.name) added"
        }
    }
}

struct SubscriberSet: AsyncParsableCommand {
    enum Field: String, CaseIterable, ExpressibleByArgument {
        case plan, address, pool, routes, note, password
        case ipv6Prefix = "ipv6-prefix"
        case delegatedPrefix = "delegated-prefix"
        case ipv6Address = "ipv6-address"
    }

    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Change a subscriber.",
        discussion: "What is not given stays. Live sessions are authenticated again.")
    @OptionGroup var connection: Connection
    @Argument(help: "The user name.")
    var name: String
    @Option(help: "Take a value away; may be repeated.")
    var clear: [Field] = []
    @OptionGroup var options: SubscriberOptions

    func run() async throws {
        var settings = try self.options.settings()
        for field in self.clear {
            switch field {
            case .plan: settings.plan = ""
            case .address: settings.address = ""
            case .pool: settings.pool = ""
            case .routes: settings.routes = []
            case .note: settings.note = ""
            case .password: settings.password = ""
            case .ipv6Prefix: settings.ipv6Prefix = ""
            case .delegatedPrefix: settings.delegatedPrefix = ""
            case .ipv6Address: settings.ipv6Address = ""
            }
        }
        guard settings != SubscriberSettings() else { throw ValidationError("nothing to change is given") }
        try await self.connection.run(.PATCH, Subscriber.path(self.name), sending: settings, as: SubscriberView.self) {
            "subscriber \($0.name) changed"
        }
    }
}

struct SubscriberSuspend: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "suspend", abstract: "Refuse a subscriber until resumed; live sessions are authenticated again.")
    @OptionGroup var connection: Connection
    @Argument(help: "The user name.")
    var name: String

    func run() async throws {
        var settings = SubscriberSettings()
        settings.suspended = true
        try await self.connection.run(.PATCH, Subscriber.path(self.name), sending: settings, as: SubscriberView.self) {
            "subscriber \($0.name) is suspended"
        }
    }
}

struct SubscriberResume: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume", abstract: "Serve a suspended subscriber again.")
    @OptionGroup var connection: Connection
    @Argument(help: "The user name.")
    var name: String

    func run() async throws {
        var settings = SubscriberSettings()
        settings.suspended = false
        try await self.connection.run(.PATCH, Subscriber.path(self.name), sending: settings, as: SubscriberView.self) {
            "subscriber \($0.name) is not suspended"
        }
    }
}

struct SubscriberDelete: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "delete", abstract: "Forget a subscriber.")
    @OptionGroup var connection: Connection
    @Argument(help: "The user name.")
    var name: String

    func run() async throws {
        try await self.connection.run(
            .DELETE, Subscriber.path(self.name), as: ActionView.self, print: \.message)
    }
}
