// SPDX-License-Identifier: Apache-2.0
// A client, its servers and what tests ask of them.

import BNGCore
import Foundation
import Logging
import NIOCore
import NIOPosix
import RADIUS
import RADIUSContract
import RADIUSDriver
import Subscribers
import Synchronization
import Testing

/// Suites that measure time: one test after the other, or they would measure each other.
@Suite(.serialized) enum DriverTests {}

struct TooLate: Error { var what: String }

/// Waits for a condition, a minute at most: sanitizers are slow.
func eventually(_ what: String, _ condition: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(60)
    while ContinuousClock.now < deadline {
        if try await condition() { return }
        try await Task.sleep(for: .milliseconds(2))
    }
    throw TooLate(what: what)
}

final class LogLines: Sendable {
    let lines = Mutex<[String]>([])

    var logger: Logger { Logger(label: "test") { _ in CapturingHandler(self) } }
    func holds(_ text: String) -> Bool { self.lines.withLock { $0.contains { $0.contains(text) } } }
}

private struct CapturingHandler: LogHandler {
    let log: LogLines
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace

    init(_ log: LogLines) {
        self.log = log
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { self.metadata[key] }
        set { self.metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let text = "\(event.level) \(event.message) \(event.metadata ?? [:])"
        self.log.lines.withLock { $0.append(text) }
    }
}

/// A folder with files only we can read.
struct SecretFolder {
    let folder: URL

    init() throws {
        self.folder = FileManager.default.temporaryDirectory.appending(
            path: "bng-radius-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: self.folder, withIntermediateDirectories: true)
    }

    func file(_ name: String, _ text: String, mode: Int = 0o600) throws -> String {
        let path = self.folder.appending(path: name).path
        try Data(text.utf8).write(to: URL(filePath: path))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        return path
    }

    func remove() { try? FileManager.default.removeItem(at: self.folder) }
}

/// A running client.
struct Bed {
    let client: RADIUSClient
    let log: LogLines

    /// Servers are named a, b, c...; the client knows `secret` for each. A test that counts what a server that answers was
    /// sent needs a `timeoutMs` that a busy machine does not reach.
    static func run(
        _ servers: [FakeServer], secret: String = "s3cret", timeoutMs: Int64 = 100,
        adjust: (inout RADIUSConfiguration) -> Void = { _ in },
        _ body: (Bed) async throws -> Void
    ) async throws {
        let folder = try SecretFolder()
        defer { folder.remove() }
        let file = try folder.file("secret", secret + "\n")
        let names = ["a", "b", "c"]
        let list = zip(names, servers).map { name, server in
            var entry = RADIUSConfiguration.Server(
                name: name,
                transport: .udp(
                    address: "127.0.0.1", authenticationPort: server.port, accountingPort: server.port, secretFile: file
                ))
            entry.timeoutMs = timeoutMs
            entry.retries = 2
            return entry
        }
        var configuration = RADIUSConfiguration(
            servers: list, authentication: .init(servers: list.map(\.name), totalMs: 5_000),
            accounting: .init(servers: list.map(\.name), totalMs: 5_000))
        configuration.liveness.zombieMs = 50
        configuration.liveness.probeMs = 40
        configuration.liveness.deadMs = 200
        adjust(&configuration)
        try await self.run(configuration, body)
        for server in servers { await server.stop() }
    }

    static func run(_ configuration: RADIUSConfiguration, _ body: (Bed) async throws -> Void) async throws {
        let log = LogLines()
        let client = try RADIUSClient(
            configuration: configuration, group: MultiThreadedEventLoopGroup.singleton, logger: log.logger)
        try await client.start()
        do {
            try await body(Bed(client: client, log: log))
        } catch {
            await client.stop()
            throw error
        }
        await client.stop()
    }

    static func request(_ name: String = "alice", counter: UInt64 = 1) -> AuthorizationRequest {
        AuthorizationRequest(
            session: SessionID(issuer: 1, counter: counter), userName: name, credential: .line, facts: Self.facts)
    }

    static let facts = LineFacts(
        node: "edge1", port: "access0", accessDomain: 1, sVLAN: 100, cVLAN: 7,
        mac: MACAddress(rawValue: 0x0200_0000_0001))

    static func record(_ kind: AccountingRecord.Kind = .stop, secondsAgo: Int64 = 0) -> AccountingRecord {
        let at = UTCTime(milliseconds: UTCTime.ofHost().milliseconds - secondsAgo * 1_000)
        return AccountingRecord(
            sequence: 1, kind: kind, accountingID: "1-1", session: 1, userName: "alice", facts: Self.facts,
            address: IPv4Address(rawValue: 0x6440_0001), classes: [], at: at, sessionStarted: at,
            totals: SessionTotals(), cause: .userRequest, plan: "")
    }

    func ask(_ name: String = "alice") async -> AuthorizationOutcome {
        await withCheckedContinuation { continuation in
            self.client.authorize(Self.request(name)) { continuation.resume(returning: $0) }
        }
    }

    func account(_ record: AccountingRecord = Bed.record()) async -> Bool {
        await withCheckedContinuation { continuation in
            self.client.account(record) { continuation.resume(returning: $0) }
        }
    }

    func status(_ name: String = "a", _ role: RADIUSRole = .authentication) async throws -> RADIUSServerStatus {
        let all = await self.client.status()
        return try #require(all.first { $0.name == name && $0.role == role })
    }
}

extension AuthorizationOutcome {
    var isAccept: Bool { if case .accept = self { true } else { false } }
}
