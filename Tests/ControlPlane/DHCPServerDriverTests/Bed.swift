// SPDX-License-Identifier: Apache-2.0
// Scripted DHCPv4 servers on loopback, and a driver that asks them.

import BNGCore
import DHCPv4
import Logging
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import DHCPServerDriver

/// What the scripted servers say.
enum Reply {
    static let identifier = IPv4Address("127.0.0.200")
}

extension DHCPv4Message {
    private func reply(_ type: DHCPv4MessageType, _ address: String) -> DHCPv4Message {
        var reply = DHCPv4Message(
            op: .reply, xid: self.xid, yourAddress: IPv4Address(address) ?? .zero, relayAddress: self.relayAddress,
            clientMAC: self.clientMAC)
        reply.options.append(53, [type.rawValue])
        reply.options.append(54, Reply.identifier?.bytes ?? [])
        return reply
    }

    func offering(_ address: String) -> DHCPv4Message { self.reply(.offer, address) }
    func nak() -> DHCPv4Message { self.reply(.nak, "0.0.0.0") }

    /// OFFER to a DISCOVER, ACK to a REQUEST; nothing to what is not answered.
    func granting(_ address: String, lifetime: UInt32 = 3_600) -> [[UInt8]] {
        guard self.type == .discover || self.type == .request else { return [] }
        var reply = self.reply(self.type == .discover ? .offer : .ack, address)
        reply.options.append(51, lifetime)
        reply.options.append(6, [192, 0, 2, 53])
        return [DHCPv4Codec.encode(reply)]
    }
}

final class ScriptedServer: Sendable {
    typealias Script = @Sendable (DHCPv4Message) -> [[UInt8]]
    private let state: Mutex<(script: Script, seen: [DHCPv4Message])> = Mutex(({ _ in [] }, []))
    let channel: any Channel

    init(on loop: any EventLoop) async throws {
        let handler = Handler()
        self.channel = try await DatagramBootstrap(group: loop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(handler) }
            }.bind(host: "127.0.0.1", port: 0).get()
        handler.server.withLock { $0 = self }
    }

    func answer(_ script: @escaping Script) { self.state.withLock { $0.script = script } }

    fileprivate func received(_ bytes: [UInt8]) -> [[UInt8]] {
        guard let message = try? DHCPv4Codec.decode(bytes.span) else { return [] }
        let script = self.state.withLock { state in
            state.seen.append(message)
            return state.script
        }
        return script(message)
    }

    /// Waits until so many have come.
    func messages(_ count: Int) async throws -> [DHCPv4Message] {
        let deadline = ContinuousClock.now + .seconds(10)
        while ContinuousClock.now < deadline {
            let seen = self.state.withLock { $0.seen }
            if seen.count >= count { return seen }
            try await Task.sleep(for: .milliseconds(5))
        }
        throw TimedOut(what: "\(count) messages")
    }

    private final class Handler: ChannelInboundHandler, Sendable {
        typealias InboundIn = AddressedEnvelope<ByteBuffer>
        let server = Mutex<ScriptedServer?>(nil)

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let envelope = self.unwrapInboundIn(data)
            let server = self.server.withLock { $0 }
            for bytes in server?.received(Array(envelope.data.readableBytesView)) ?? [] {
                let data = context.channel.allocator.buffer(bytes: bytes)
                context.channel.writeAndFlush(
                    AddressedEnvelope(remoteAddress: envelope.remoteAddress, data: data), promise: nil)
            }
        }
    }
}

struct TimedOut: Error { var what: String }

final class Bed: Sendable {
    let driver: DHCPServerDriver
    let servers: [ScriptedServer]
    private let local: SocketAddress
    private let lostKeys = Mutex<[LeaseKey]>([])

    init(servers: Int, timeoutMs: Int64, outstanding: Int) async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        var all: [ScriptedServer] = []
        for _ in 0..<servers { all.append(try await ScriptedServer(on: MultiThreadedEventLoopGroup.singleton.next())) }
        self.servers = all
        // The system's choice of a port, taken over once it is known to be free.
        let probe = try await DatagramBootstrap(group: loop).bind(host: "127.0.0.1", port: 0).get()
        self.local = try #require(probe.localAddress)
        try await probe.close()
        var group = DHCPServerGroup(
            name: "g", family: .ipv4, servers: try all.map { try #require($0.channel.localAddress) }, local: self.local)
        (group.timeoutMs, group.outstanding) = (timeoutMs, outstanding)
        self.driver = DHCPServerDriver(groups: [group], loop: loop, logger: Logger(label: "test"))
    }

    func start() async throws {
        try await self.driver.start { key, _ in self.lostKeys.withLock { $0.append(key) } }
    }

    func stop() async {
        await self.driver.stop()
        for server in self.servers { try? await server.channel.close() }
    }

    func order(_ number: UInt8) -> LeaseOrder {
        LeaseOrder(
            key: LeaseKey(session: UInt64(number), kind: .ipv4), group: "g",
            mac: MACAddress("02:00:00:00:00:\(number < 16 ? "0" : "")\(String(number, radix: 16))") ?? .zero,
            clientID: [],
            circuitID: [], remoteID: [], link: IPAddress("10.0.0.1") ?? .v4(.zero), minimum: 120)
    }

    func acquire(_ order: LeaseOrder) async throws -> AcquiredLease {
        try await withCheckedThrowingContinuation { continuation in
            self.driver.acquire(order) { continuation.resume(with: $0) }
        }
    }

    func lost() async throws -> LeaseKey {
        let deadline = ContinuousClock.now + .seconds(10)
        while ContinuousClock.now < deadline {
            if let key = self.lostKeys.withLock({ $0.first }) { return key }
            try await Task.sleep(for: .milliseconds(5))
        }
        throw TimedOut(what: "a loss")
    }

    /// Somebody waits.
    func untilWaiting() async throws {
        let deadline = ContinuousClock.now + .seconds(10)
        while ContinuousClock.now < deadline {
            if await self.driver.status().first?.waiting == 1 { return }
            try await Task.sleep(for: .milliseconds(5))
        }
        throw TimedOut(what: "a wait")
    }

    func sendFromStranger() async throws {
        let stranger = try await ScriptedServer(on: MultiThreadedEventLoopGroup.singleton.next())
        let data = stranger.channel.allocator.buffer(bytes: [2, 1, 6])
        try await stranger.channel.writeAndFlush(AddressedEnvelope(remoteAddress: self.local, data: data))
        let deadline = ContinuousClock.now + .seconds(10)
        while ContinuousClock.now < deadline, await self.driver.status().first?.counters[.stranger] == nil {
            try await Task.sleep(for: .milliseconds(5))
        }
        try await stranger.channel.close()
    }
}

func withBed(
    servers: Int = 1, timeoutMs: Int64 = 1_000, outstanding: Int = 256, _ body: (Bed) async throws -> Void
) async throws {
    let bed = try await startedBed(servers, timeoutMs, outstanding)
    do {
        try await body(bed)
    } catch {
        await bed.stop()
        throw error
    }
    await bed.stop()
}

/// Between the choice of a port and its use another test may have got it.
private func startedBed(_ servers: Int, _ timeoutMs: Int64, _ outstanding: Int, attempts: Int = 5) async throws -> Bed {
    let bed = try await Bed(servers: servers, timeoutMs: timeoutMs, outstanding: outstanding)
    do {
        try await bed.start()
        return bed
    } catch let error as DHCPServerError where attempts > 1 && error.description.contains("in use") {
        await bed.stop()
        return try await startedBed(servers, timeoutMs, outstanding, attempts: attempts - 1)
    }
}
