// SPDX-License-Identifier: Apache-2.0
// The server of RFC 5176 on its loop: which packets are requests, what becomes of them, and their answers.

import BNGCore
import Logging
import NIOCore
import RADIUS
import RADIUSContract
import Subscribers

final class DynamicAuthorizationCore {
    struct Client: Sendable {
        var index: Int
        var secret: RADIUSSecret
        var requiresSignature: Bool
    }

    /// A genuine request and whom to answer.
    private struct Request {
        var packet: RADIUSPacket
        var client: Client
        var from: SocketAddress
        var channel: any Channel
        var key: RequestMemory.Key
    }

    private let configuration: DynamicAuthorizationConfiguration
    private let clients: [String: Client]
    private let handler: DynamicAuthorizationServer.Handler
    private let reader: DynamicAuthorizationReader
    private let loop: any EventLoop
    private var log: ThrottledLog
    private let now: @Sendable () -> UTCTime
    private var memory = RequestMemory()
    private var working: [RequestMemory.Key: (request: Request, timer: Scheduled<Void>)] = [:]
    private(set) var counters = DynamicAuthorizationCounters()

    init(
        configuration: DynamicAuthorizationConfiguration, clients: [String: Client],
        handler: @escaping DynamicAuthorizationServer.Handler, loop: any EventLoop, logger: Logger,
        now: @escaping @Sendable () -> UTCTime
    ) {
        self.configuration = configuration
        self.clients = clients
        self.handler = handler
        self.reader = DynamicAuthorizationReader(
            mapping: configuration.mapping, nasAddress: configuration.nasAddress)
        self.loop = loop
        self.log = ThrottledLog(logger)
        self.now = now
    }

    // MARK: Packets

    func received(_ bytes: [UInt8], from: SocketAddress, _ channel: any Channel) {
        guard let address = from.ipAddress, let client = self.clients[address] else {
            return self.drop(\.unknownClient, "unknown client", from)
        }
        guard let packet = try? RADIUSCodec.decode(bytes.span), let length = try? RADIUSCodec.length(bytes.span) else {
            return self.drop(\.malformed, "malformed", from)
        }
        guard packet.code == .disconnectRequest || packet.code == .changeRequest else {
            return self.drop(\.unexpected, "not a request of RFC 5176", from)
        }
        guard self.isGenuine(Array(bytes.prefix(length)), client, from), self.isFresh(packet, from) else { return }
        let key = RequestMemory.Key(client: client.index, authenticator: packet.authenticator)
        self.consider(Request(packet: packet, client: client, from: from, channel: channel, key: key))
    }

    private func isGenuine(_ bytes: [UInt8], _ client: Client, _ from: SocketAddress) -> Bool {
        switch client.secret.check(computedRequest: bytes) {
        case .badAuthenticator:
            self.drop(\.badAuthenticator, "wrong authenticator: expected the same secret on both sides", from)
        case .badMessageAuthenticator:
            self.drop(\.badMessageAuthenticator, "wrong Message-Authenticator", from)
        case .genuine(let signed):
            if signed || !client.requiresSignature { return true }
            self.drop(\.missingMessageAuthenticator, "no Message-Authenticator", from)
        }
        return false
    }

    /// RFC 5176 6.3.
    private func isFresh(_ packet: RADIUSPacket, _ from: SocketAddress) -> Bool {
        guard self.configuration.windowSeconds > 0 else { return true }
        let seconds = self.now().milliseconds / 1_000
        guard let stamp = packet.attributes.first(.eventTimestamp)?.radiusInteger,
            abs(Int64(stamp) - seconds) <= self.configuration.windowSeconds
        else {
            self.drop(\.stale, "Event-Timestamp missing or too far from now", from)
            return false
        }
        return true
    }

    private func drop(
        _ counter: WritableKeyPath<DynamicAuthorizationCounters, UInt64>, _ reason: String, _ from: SocketAddress
    ) {
        self.counters[keyPath: counter] += 1
        self.log.warning(
            reason, "a change of authorization is dropped", ["reason": "\(reason)", "client": "\(from)"])
    }

    // MARK: Requests

    private func consider(_ request: Request) {
        let now = NIODeadline.now()
        self.memory.expire(now)
        switch self.memory[request.key] {
        case .working:
            self.counters.duplicates += 1
        case .answered(let bytes):
            self.counters.duplicates += 1
            self.send(bytes, request)
        case .spent:
            self.drop(\.replayed, "seen before", request.from)
        case nil:
            let limits = self.configuration.limits
            guard self.working.count < limits.inFlight, self.memory.count < limits.remembered else {
                return self.drop(\.overloaded, "too many requests", request.from)
            }
            self.memory.begin(request.key, until: now + self.remembering)
            self.carryOut(request)
        }
    }

    /// A stamp may lie a window ahead of now, and is good for another window after that.
    private var remembering: TimeAmount {
        .milliseconds(max(2_000 * self.configuration.windowSeconds, self.configuration.limits.repeatMs) + 1_000)
    }

    private func carryOut(_ request: Request) {
        let isDisconnect = request.packet.code == .disconnectRequest
        if isDisconnect { self.counters.disconnects += 1 } else { self.counters.changes += 1 }
        let asked: DynamicAuthorization
        do {
            asked = try self.reader.read(request.packet)
        } catch {
            return self.answer(request, .refused(error.cause, error.message))
        }
        let key = request.key
        let timer = self.loop.assumeIsolated().scheduleTask(in: .milliseconds(self.configuration.limits.answerMs)) {
            self.gaveNoAnswer(key)
        }
        self.working[key] = (request, timer)
        let back = NIOLoopBound(self, eventLoop: self.loop)
        let loop = self.loop
        self.handler(asked) { result in
            loop.execute { back.value.finished(key, result) }
        }
    }

    private func finished(_ key: RequestMemory.Key, _ result: DynamicAuthorizationResult) {
        guard let (request, timer) = self.working.removeValue(forKey: key) else { return }
        timer.cancel()
        self.answer(request, result)
    }

    private func gaveNoAnswer(_ key: RequestMemory.Key) {
        guard self.working.removeValue(forKey: key) != nil else { return }
        self.counters.unanswered += 1
        self.memory.abandon(key)
        self.log.warning("unanswered", "nobody said in time what became of a change of authorization")
    }

    // MARK: Answers

    private func answer(_ request: Request, _ result: DynamicAuthorizationResult) {
        let isDisconnect = request.packet.code == .disconnectRequest
        var answer = RADIUSPacket(code: .changeACK, identifier: request.packet.identifier)
        // RFC 5176 3: State and Proxy-State go back as they came.
        for attribute in request.packet.attributes.all
        where attribute.key == .proxyState || attribute.key == .state {
            answer.attributes.append(attribute.key, attribute.value)
        }
        switch result {
        case .done:
            self.counters.acknowledged += 1
            answer.code = isDisconnect ? .disconnectACK : .changeACK
        case .refused(let cause, let message):
            self.counters.refused += 1
            answer.code = isDisconnect ? .disconnectNAK : .changeNAK
            answer.attributes.append(.errorCause, cause.rawValue)
            answer.attributes.append(.replyMessage, text: message)
        }
        let bytes = request.client.secret.seal(answer: answer, to: request.packet.authenticator, signed: true)
        let until = NIODeadline.now() + .milliseconds(self.configuration.limits.repeatMs)
        self.memory.answered(request.key, bytes, until: until)
        self.send(bytes, request)
    }

    private func send(_ bytes: [UInt8], _ request: Request) {
        let data = request.channel.allocator.buffer(bytes: bytes)
        request.channel.writeAndFlush(AddressedEnvelope(remoteAddress: request.from, data: data), promise: nil)
    }

    func stop() {
        for (_, timer) in self.working.values { timer.cancel() }
        self.working = [:]
    }
}
