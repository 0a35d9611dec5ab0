// SPDX-License-Identifier: Apache-2.0
// Outputs over loopback and files: nothing missing after refusals, restarts and moved files; nobody waits for an output that is away.

import BNGCore
import Foundation
import Logging
import Subscribers
import Synchronization
import Testing

@testable import NATRecordsDriver

private func record(_ sequence: UInt64, user: String = "ann") -> NATRecord {
    NATRecord(
        sequence: sequence,
        entry: NATLogEntry(
            vrf: 0, address: IPv4Address(rawValue: 0xc633_6407), ports: 1_024...1_535,
            granted: UTCTime(milliseconds: 1_000), returned: sequence % 2 == 0 ? UTCTime(milliseconds: 2_000) : nil,
            session: SessionID(issuer: 1, counter: sequence), node: "edge1", line: "access0 1.2", userName: user,
            inside: IPv4Address(rawValue: 0x6440_0109), pool: "p"))
}

/// A spool in memory.
private final class Spool: NATRecordStoring {
    struct State {
        var records: [NATRecord] = []
        var cursors: [String: UInt64] = [:]
        var refusesAdvance = false
    }

    let state = Mutex(State())

    func add(_ sequences: ClosedRange<UInt64>) {
        self.state.withLock { $0.records += sequences.map { record($0, user: "user \"\($0)\"") } }
    }

    func natRecords(after sequence: UInt64, limit: Int) throws -> [NATRecord] {
        self.state.withLock { Array($0.records.filter { $0.sequence > sequence }.prefix(limit)) }
    }

    func advance(_ output: String, to sequence: UInt64, then done: @escaping @Sendable (Bool) -> Void) {
        let accepted = self.state.withLock { state -> Bool in
            if !state.refusesAdvance { state.cursors[output] = sequence }
            return !state.refusesAdvance
        }
        done(accepted)
    }

    func lastNATRecord() throws -> UInt64 { self.state.withLock { $0.records.last?.sequence ?? 0 } }

    func cursor(_ output: String) -> UInt64 { self.state.withLock { $0.cursors[output] ?? 0 } }
}

private func driver(_ spool: Spool, _ outputs: NATRecordOutput...) -> NATRecordsDriver {
    NATRecordsDriver(
        outputs: outputs, cursors: spool.state.withLock { $0.cursors }, store: spool,
        logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, now: { UTCTime(milliseconds: 5_000) })
}

private func until(_ what: String, _ condition: () -> Bool) async throws {
    let end = ContinuousClock.now + .seconds(10)
    while !condition() {
        try #require(ContinuousClock.now < end, "waited for \(what)")
        try await Task.sleep(for: .milliseconds(5))
    }
}

private func withFolder(_ body: (String) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("bng-records-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try await body(folder.path)
}

private func sequences(_ path: String) throws -> [Int] {
    let text = try String(contentsOfFile: path, encoding: .utf8)
    return try text.split(separator: "\n").map { line in
        let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        return try #require(object?["sequence"] as? Int)
    }
}

/// A socket on loopback that takes what is sent to it.
private final class Collector {
    let descriptor: Int32
    let port: Int

    init(isStream: Bool, port: Int = 0) throws {
        self.descriptor = socket(AF_INET, Int32((isStream ? SOCK_STREAM : SOCK_DGRAM).rawValue), 0)
        var one: Int32 = 1
        setsockopt(self.descriptor, SOL_SOCKET, SO_REUSEADDR, &one, 4)
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(self.descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = self.descriptor
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(descriptor, address, length) == 0 && getsockname(descriptor, address, &length) == 0
            }
        }
        try #require(bound)
        if isStream { listen(descriptor, 4) }
        self.port = Int(in_port_t(bigEndian: address.sin_port))
    }

    deinit { close(self.descriptor) }

    func receive(from descriptor: Int32? = nil) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor ?? self.descriptor, &bytes, bytes.count, 0)
        return Array(bytes.prefix(max(0, count)))
    }
}

private func syslog(_ transport: NATRecordOutput.Transport, _ port: Int) -> NATRecordOutput {
    NATRecordOutput(
        name: "log",
        kind: .syslog(transport, host: "127.0.0.1", port: port, facility: .local0, enterprise: 32_473))
}

@Suite struct NATRecordsDriverTests {
    @Test func `a file gets every record once, and the next process goes on`() async throws {
        try await withFolder { folder in
            let (spool, path) = (Spool(), "\(folder)/nat.jsonl")
            let output = NATRecordOutput(name: "file", kind: .json(path: path))
            spool.add(1...1_234)
            let first = driver(spool, output)
            first.start()
            try await until("all of them") { spool.cursor("file") == 1_234 }
            spool.add(1_235...1_240)
            first.wake()
            try await until("more") { spool.cursor("file") == 1_240 }
            #expect(first.status().map(\.sent) == [1_240] && first.status().map(\.waiting) == [0])
            first.stop()
            let second = driver(spool, output)
            spool.add(1_241...1_241)
            second.start()
            try await until("the last") { spool.cursor("file") == 1_241 }
            second.stop()
            #expect(try sequences(path) == Array(1...1_241))
        }
    }

    @Test func `a file that was moved is made anew, and half a line is cut off`() async throws {
        try await withFolder { folder in
            let (spool, path) = (Spool(), "\(folder)/nat.jsonl")
            try Data("{\"sequence\":0}\n{\"sequ".utf8).write(to: URL(fileURLWithPath: path))
            spool.add(1...3)
            let driver = driver(spool, NATRecordOutput(name: "file", kind: .json(path: path)))
            driver.start()
            try await until("three") { spool.cursor("file") == 3 }
            try FileManager.default.moveItem(atPath: path, toPath: "\(path).1")
            spool.add(4...5)
            driver.wake()
            try await until("five") { spool.cursor("file") == 5 }
            driver.stop()
            #expect(try sequences("\(path).1") == [0, 1, 2, 3])
            #expect(try sequences(path) == [4, 5])
        }
    }

    @Test func `what cannot be written waits, and says why`() async throws {
        try await withFolder { folder in
            let spool = Spool()
            spool.add(1...2)
            let driver = driver(spool, NATRecordOutput(name: "file", kind: .json(path: "\(folder)/later/nat.jsonl")))
            driver.start()
            try await until("a problem") { driver.status()[0].problem?.contains("No such file") == true }
            #expect(driver.status()[0].waiting == 2 && driver.status()[0].failures > 0)
            try FileManager.default.createDirectory(atPath: "\(folder)/later", withIntermediateDirectories: true)
            try await until("it goes on") { spool.cursor("file") == 2 && driver.status()[0].problem == nil }
            driver.stop()
            #expect(try sequences("\(folder)/later/nat.jsonl") == [1, 2])
        }
    }

    @Test func `what the spool dropped is counted once`() async throws {
        try await withFolder { folder in
            let spool = Spool()
            spool.add(8...9)
            spool.state.withLock { $0.refusesAdvance = true }
            let driver = driver(spool, NATRecordOutput(name: "file", kind: .json(path: "\(folder)/nat.jsonl")))
            driver.start()
            try await until("a second try") { driver.status()[0].failures >= 2 }
            spool.state.withLock { $0.refusesAdvance = false }
            try await until("the end") { spool.cursor("file") == 9 }
            driver.stop()
            #expect(driver.status()[0].lost == 7)
        }
    }

    @Test func `datagrams that nobody takes are sent again when somebody does`() async throws {
        let spool = Spool()
        let port = try Collector(isStream: false).port
        spool.add(1...3)
        let driver = driver(spool, syslog(.udp, port))
        driver.start()
        try await until("refusal") { driver.status()[0].problem?.contains("refused") == true }
        #expect(spool.cursor("log") == 0)
        let collector = try Collector(isStream: false, port: port)
        for number in 1...3 {
            let text = String(decoding: collector.receive(), as: UTF8.self)
            #expect(text.hasPrefix("<134>1 1970-01-01T00:00:0"))
            #expect(text.contains("[nat@32473 sequence=\"\(number)\" event="))
            #expect(text.contains("user=\"user \\\"\(number)\\\"\"]"))
        }
        driver.stop()
    }

    @Test func `a stream that breaks goes on where the peer had acknowledged`() async throws {
        let spool = Spool()
        let collector = try Collector(isStream: true)
        spool.add(1...2)
        let driver = driver(spool, syslog(.tcp, collector.port))
        driver.start()
        let first = accept(collector.descriptor, nil, nil)
        try await until("two") { spool.cursor("log") == 2 }
        let frames = String(decoding: collector.receive(from: first), as: UTF8.self)
        #expect(frames.split(separator: "<134>1").count == 3 && frames.first?.isNumber == true)
        close(first)
        spool.add(3...4)
        driver.wake()
        let second = accept(collector.descriptor, nil, nil)
        try await until("four") { spool.cursor("log") == 4 }
        let more = String(decoding: collector.receive(from: second), as: UTF8.self)
        #expect(more.contains("sequence=\"3\"") && more.contains("sequence=\"4\"") && !more.contains("sequence=\"2\""))
        close(second)
        driver.stop()
    }

    @Test func `an output that is away holds up neither the others nor the end`() async throws {
        try await withFolder { folder in
            let spool = Spool()
            // It listens and never reads: its buffers fill, then it is waited for.
            let mute = try Collector(isStream: true)
            spool.add(1...20_000)
            let driver = driver(
                spool, syslog(.tcp, mute.port), NATRecordOutput(name: "file", kind: .json(path: "\(folder)/nat.jsonl")))
            driver.start()
            try await until("the file") { spool.cursor("file") == 20_000 }
            #expect(spool.cursor("log") < 20_000)
            let start = ContinuousClock.now
            driver.stop()
            #expect(ContinuousClock.now - start < .seconds(2))
        }
    }

    @Test func `IPFIX over a stream is messages, templates in the first of a connection`() async throws {
        let spool = Spool()
        let collector = try Collector(isStream: true)
        spool.add(1...2)
        let output = NATRecordOutput(
            name: "flow",
            kind: .ipfix(
                .tcp, host: "127.0.0.1", port: collector.port, observationDomain: 7, messageSize: 1_400,
                templateInterval: 60))
        let driver = driver(spool, output)
        driver.start()
        let peer = accept(collector.descriptor, nil, nil)
        try await until("two") { spool.cursor("flow") == 2 }
        let message = collector.receive(from: peer)
        #expect(message.starts(with: [0, 10]) && Int(message[2]) << 8 | Int(message[3]) == message.count)
        #expect(message[8..<20].elementsEqual([0, 0, 0, 0, 0, 0, 0, 7, 0, 2, 0, 84]))
        #expect(output.destination == "tcp:127.0.0.1:\(collector.port)" && output.kindName == "ipfix")
        close(peer)
        driver.stop()
    }
}
