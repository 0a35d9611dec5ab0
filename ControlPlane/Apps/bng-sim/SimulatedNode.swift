// SPDX-License-Identifier: Apache-2.0
// A node without a network card: the agent's side of the contract, whole, and customers who dial in on its lines. Confined to one event
// loop.

import AgentContract
import AgentProto
import BNGCore
import DHCPv4
import Fleet
import Foundation
import NIOCore
import NIOPosix

final class SimulatedNode {
    /// What all of them are told.
    struct Settings: Sendable {
        var target: SimulatorTarget
        var lines = 0
        /// Lines that are between their first packet and their address, at most.
        var window = 32
        var retryMs = 3_000
        /// Junk packets punted a second, beside the customers'.
        var stormPerSecond = 0
        /// They begin so long after the node's last customer came online, and last so long.
        var stormAfterSeconds = 0
        var stormSeconds = 0
        /// Renewals a second, told as events.
        var renewalsPerSecond = 0
        /// Customers that leave and come back, a second.
        var churnPerSecond = 0
        /// Mean seconds between losses of a lane; 0: none.
        var laneLossSeconds = 0
        /// Mean seconds between losses of all maps; 0: none.
        var rebootSeconds = 0
    }

    let name: String
    let number: Int
    let loop: any EventLoop
    private let settings: Settings
    private var maps = SimulatedMaps()
    private var bootID: [UInt8] = []
    private var epoch: UInt64
    private var associationID = Data()
    private var minor: UInt32 = 0
    private var lanes: [Wire.Lane: SimulatedLane] = [:]
    private var credits: [Wire.PuntClass: UInt32] = [:]
    private var lines: [SimulatedLine]
    /// Lines at work, oldest deadline first as far as it matters.
    private var busy: Set<Int> = []
    private var nextLine = 0
    private var online: [Int] = []
    private var punts: [Wire.Punt] = []
    private var events: [Wire.Event] = []
    private var nextEvent: UInt64 = 1
    private var heartbeatEveryNs: UInt64 = 1_000_000_000
    private var heartbeatAt: UInt64 = 0
    private var heartbeat: UInt64 = 0
    private var heartbeatSent: [UInt64: UInt64] = [:]
    private var redialAt: [Wire.Lane: UInt64] = [:]
    private var dialling: Set<Wire.Lane> = []
    private var stormed = 0
    private var fullSince: UInt64?
    private var random: SystemRandomNumberGenerator
    private(set) var facts = SimulationFacts()

    init(number: Int, name: String, loop: any EventLoop, settings: Settings) {
        self.number = number
        self.name = name
        self.loop = loop
        self.settings = settings
        self.random = SystemRandomNumberGenerator()
        self.epoch = self.random.next()
        self.lines = Array(repeating: SimulatedLine(), count: settings.lines)
        self.restart()
    }

    private func restart() {
        self.bootID = (0..<16).map { _ in UInt8.random(in: .min ... .max, using: &self.random) }
        self.nextEvent = 1
        self.events = []
    }

    // MARK: Lanes

    private func dial(_ kind: Wire.Lane) {
        self.dialling.insert(kind)
        let lane = NIOLoopBound(SimulatedLane(kind, of: self), eventLoop: self.loop)
        let node = NIOLoopBound(self, eventLoop: self.loop)
        self.settings.target.connect(on: self.loop) { channel in
            try channel.pipeline.syncOperations.addHandlers([
                ByteToMessageHandler(ControllerFrameDecoder(), maximumBufferSize: 4 << 20), lane.value,
            ])
        }.whenFailure { _ in
            node.value.dialling.remove(kind)
            node.value.redial(kind)
        }
    }

    /// Spread as docs/contract.md section 2 wants, so that a thousand do not come in one moment.
    private func redial(_ kind: Wire.Lane) {
        self.redialAt[kind] = Self.now() + UInt64.random(in: 100...3_200, using: &self.random) * 1_000_000
    }

    func connected(_ lane: SimulatedLane) {
        self.dialling.remove(lane.kind)
        self.lanes[lane.kind] = lane
        if lane.kind == .state {
            lane.send(.hello(self.hello()))
        } else {
            lane.send(
                .laneHello(
                    .with {
                        $0.lane = lane.kind
                        $0.associationID = self.associationID
                        $0.bootID = Data(self.bootID)
                    }))
        }
        lane.flush()
    }

    func lost(_ lane: SimulatedLane) {
        guard self.lanes[lane.kind] === lane else { return }
        self.lanes[lane.kind] = nil
        if lane.kind == .punt { self.credits = [:] }
        guard lane.kind == .state else {
            if self.facts.isConnected { self.redial(lane.kind) }
            return
        }
        if self.facts.isConnected { self.facts.associationsLost += 1 }
        self.facts.isConnected = false
        self.facts.isAudited = false
        self.redialAt = [:]
        for other in self.lanes.values { other.close() }
        self.redial(.state)
    }

    private func hello() -> Wire.Hello {
        .with { hello in
            hello.nodeID = self.name
            hello.protocolMinorMax = Wire.minor
            hello.bootID = Data(self.bootID)
            hello.epochs = Self.families.map { number in
                .with {
                    $0.family = Wire.Family(rawValue: number) ?? .unspecified
                    $0.stateEpoch = self.epoch
                }
            }
            hello.ports = ["access0", "core0"].map { port in
                .with {
                    $0.name = port
                    $0.role = port == "access0" ? .access : .core
                    $0.mac = Data([
                        2, 0xbb, 0, UInt8(self.number >> 8), UInt8(self.number & 0xff), port == "access0" ? 1 : 2,
                    ])
                    $0.mtuBytes = 1_600
                    $0.mode = .native
                    $0.linkUp = true
                    $0.driver = "simulated"
                }
            }
            hello.capabilities = [
                ("sessions" as String, 1_048_576 as UInt64), ("ports", 63), ("qinq", 2), ("dhcpv4_fast_path", 0),
                ("ipv6", 0),
                ("nat44", 1_048_576), ("nat_alg", 0), ("pcp", 0),
            ].map { capability in
                .with {
                    $0.name = capability.0
                    $0.limit = capability.1
                }
            }
            if self.maps.term > 0 {
                hello.terms = [
                    .with {
                        $0.scope = "node"
                        $0.term = self.maps.term
                    }
                ]
            }
            hello.agentVersion = "simulated"
            hello.programVersion = "simulated"
            hello.kernelRelease = "none"
            hello.utcUnixMs = Self.utcMs()
            hello.nextEventSequence = self.events.first?.sequence ?? self.nextEvent
        }
    }

    // MARK: Frames

    func received(_ body: Wire.ControllerFrame.OneOf_Body, on lane: SimulatedLane) {
        switch body {
        case .helloReply(let reply): self.associated(reply)
        case .laneHelloReply: if lane.kind == .telemetry { self.sendEvents(all: true) }
        case .heartbeat(let beat): self.answered(beat)
        case .batch(let batch):
            self.facts.items += UInt64(batch.items.count)
            lane.send(.batchResult(self.maps.apply(batch)))
        case .auditRequest(let request):
            self.facts.isAudited = true
            self.facts.audits += 1
            lane.send(.auditSummary(self.maps.summary(request, families: Self.families)))
        case .auditPageRequest(let request):
            self.facts.auditPages += 1
            lane.send(.auditPage(self.maps.page(request)))
        case .puntCredit(let credit):
            self.credits[credit.puntClass, default: 0] &+= credit.credits
            self.sendPunts()
        case .injects(let batch):
            for inject in batch.injects { self.injected(inject) }
            self.driveLines(Self.now())
            self.sendPunts()
        case .eventAck(let ack): self.events.removeAll { $0.sequence <= ack.sequence }
        case .sessionCountersRequest(let request):
            lane.send(
                .sessionCounters(
                    .with { reply in
                        reply.requestID = request.requestID
                        reply.last = true
                        reply.sessions = request.sessionIds.filter { self.maps.generation(ofSession: $0) != nil }
                            .map { id in .with { $0.sessionID = id } }
                    }))
        case .error(let notice):
            self.facts.notices[notice.code.name, default: 0] += 1
        case .challenge(let challenge):
            lane.send(
                .proof(
                    .with {
                        $0.challengeID = challenge.challengeID
                        $0.failure = "a simulated node can prove nothing"
                    }))
        case .enrolReply: break
        }
    }

    private func associated(_ reply: Wire.HelloReply) {
        self.associationID = reply.associationID
        self.minor = reply.protocolMinor
        self.maps.meet(term: reply.nodeTerm)
        self.heartbeatEveryNs = UInt64(reply.heartbeatIntervalMs) * 1_000_000
        // Spread, as nodes that were switched on one after the other are.
        self.heartbeatAt = Self.now() + UInt64.random(in: 0..<max(1, self.heartbeatEveryNs), using: &self.random)
        self.heartbeatSent = [:]
        self.facts.isConnected = true
        self.facts.associations += 1
        self.dial(.punt)
        self.dial(.telemetry)
    }

    private func answered(_ beat: Wire.ControllerHeartbeat) {
        guard let sent = self.heartbeatSent.removeValue(forKey: beat.sequence) else { return }
        self.facts.heartbeatNs.append(Self.now() - sent)
    }

    // MARK: Customers

    private func punt(_ frame: [UInt8]) {
        self.punts.append(
            .with {
                $0.puntClass = .dhcpv4
                $0.reason = "dhcp_unknown_line"
                $0.port = "access0"
                $0.accessDomainID = UInt32(self.number)
                $0.frame = Data(frame)
                $0.receivedUnixMs = Self.utcMs()
            })
    }

    /// What there is credit for goes out; the rest is dropped, as the agent drops it.
    private func sendPunts() {
        guard let lane = self.lanes[.punt], !self.punts.isEmpty else { return self.punts.removeAll() }
        let credit = Int(self.credits[.dhcpv4] ?? 0)
        let sent = min(credit, self.punts.count)
        self.facts.puntsDropped += UInt64(self.punts.count - sent)
        self.credits[.dhcpv4] = UInt32(credit - sent)
        for start in stride(from: 0, to: sent, by: 256) {
            let part = self.punts[start..<min(start + 256, sent)]
            lane.send(.punts(.with { $0.punts = Array(part) }))
        }
        self.facts.punts += UInt64(sent)
        self.punts.removeAll(keepingCapacity: true)
        lane.flush()
    }

    private func injected(_ inject: Wire.Inject) {
        if inject.requiresSessionID != 0 {
            guard let held = self.maps.generation(ofSession: inject.requiresSessionID),
                held >= inject.requiresGeneration
            else { return self.facts.injectsRefused += 1 }
        }
        let frame = [UInt8](inject.frame)
        guard let reply = SimulatedLine.reply(in: frame), self.lines.indices.contains(Int(reply.xid)) else { return }
        let line = Int(reply.xid)
        guard reply.clientMAC == SimulatedLine.mac(node: self.number, line: line),
            let server = reply.address(DHCPv4OptionCode.serverIdentifier)
        else { return }
        switch (self.lines[line].state, reply.type) {
        case (.selecting, .offer):
            self.lines[line].state = .requesting
            self.lines[line].deadline = Self.now() + UInt64(self.settings.retryMs) * 1_000_000
            self.punt(
                SimulatedLine.request(
                    node: self.number, line: line, address: reply.yourAddress, server: server))
        case (.requesting, .ack):
            self.lines[line].state = .bound(reply.yourAddress, server: server)
            self.busy.remove(line)
            self.online.append(line)
            self.facts.setUps += 1
        case (.requesting, .nak):
            self.facts.naks += 1
            self.lines[line].state = .idle
            self.lines[line].deadline = 0
        default: break
        }
    }

    private func begin(_ line: Int, _ now: UInt64) {
        self.lines[line].state = .selecting
        self.lines[line].deadline = now + UInt64(self.settings.retryMs) * 1_000_000
        self.busy.insert(line)
        self.punt(SimulatedLine.discover(node: self.number, line: line))
    }

    private func leave(_ count: Int) {
        for _ in 0..<min(count, self.online.count) {
            let line = self.online.remove(at: Int.random(in: 0..<self.online.count, using: &self.random))
            guard case .bound(let address, let server) = self.lines[line].state else { continue }
            self.punt(SimulatedLine.release(node: self.number, line: line, address: address, server: server))
            self.lines[line].state = .idle
            self.lines[line].deadline = Self.now() + 500_000_000
            self.busy.insert(line)
            self.facts.released += 1
        }
    }

    private func driveLines(_ now: UInt64) {
        guard self.lanes[.punt] != nil, self.facts.isConnected else { return }
        for line in self.busy.filter({ self.lines[$0].deadline <= now }) {
            if case .idle = self.lines[line].state {} else { self.facts.retries += 1 }
            self.begin(line, now)
        }
        while self.busy.count < self.settings.window, self.nextLine < self.lines.count {
            self.begin(self.nextLine, now)
            self.nextLine += 1
        }
    }

    // MARK: Events

    private func renew(_ count: Int) {
        for index in 0..<count where self.events.count < 65_536 {
            guard let session = self.maps.someSession(index &+ Int(self.nextEvent)) else { return }
            self.events.append(
                .with { event in
                    event.sequence = self.nextEvent
                    event.utcUnixMs = Self.utcMs()
                    event.leaseRenewed.sessionID = session.id
                    event.leaseRenewed.sessionGeneration = session.generation
                    event.leaseRenewed.expiresUnixMs = Self.utcMs() + 3_600_000
                })
            self.nextEvent += 1
            self.facts.renewals += 1
        }
        self.sendEvents(all: false, count)
    }

    private func sendEvents(all: Bool, _ newest: Int = 0) {
        guard let lane = self.lanes[.telemetry] else { return }
        let unsent = all ? self.events[...] : self.events.suffix(newest)
        for start in stride(from: unsent.startIndex, to: unsent.endIndex, by: 1_024) {
            let part = unsent[start..<min(start + 1_024, unsent.endIndex)]
            lane.send(.events(.with { $0.events = Array(part) }))
        }
        lane.flush()
    }

    // MARK: Time

    static func now() -> UInt64 { NIODeadline.now().uptimeNanoseconds }

    static func utcMs() -> UInt64 { UInt64(Date().timeIntervalSince1970 * 1_000) }

    static let tickMs: Int64 = 50
    /// Every family this version has.
    static let families = 1...(ObjectFamily.allCases.map { Wire.Family($0).rawValue }.max() ?? 1)

    func start() {
        self.redialAt[.state] = Self.now() + UInt64.random(in: 0...500, using: &self.random) * 1_000_000
        let node = NIOLoopBound(self, eventLoop: self.loop)
        self.loop.scheduleRepeatedTask(
            initialDelay: .milliseconds(Int64(self.number) % Self.tickMs), delay: .milliseconds(Self.tickMs)
        ) { _ in node.value.tick() }
    }

    private func tick() {
        let now = Self.now()
        for (kind, due) in self.redialAt where now >= due && !self.dialling.contains(kind) {
            self.redialAt[kind] = nil
            if kind == .state || self.facts.isConnected { self.dial(kind) }
        }
        guard self.facts.isConnected else { return }
        if now >= self.heartbeatAt {
            self.heartbeatAt = now + self.heartbeatEveryNs
            self.heartbeat += 1
            self.heartbeatSent[self.heartbeat] = now
            self.lanes[.state]?.send(
                .heartbeat(
                    .with {
                        $0.sequence = self.heartbeat
                        $0.utcUnixMs = Self.utcMs()
                        $0.sessions = UInt32(self.maps.sessions)
                    }))
            self.lanes[.state]?.flush()
        }
        self.driveLines(now)
        self.storm()
        self.leave(self.share(self.settings.churnPerSecond))
        self.sendPunts()
        self.renew(self.share(self.settings.renewalsPerSecond))
        self.fail()
    }

    /// So many a second, in this tick.
    private func share(_ perSecond: Int) -> Int {
        let exact = Double(perSecond) * Double(Self.tickMs) / 1_000
        return Int(exact) + (Double.random(in: 0..<1, using: &self.random) < exact - exact.rounded(.down) ? 1 : 0)
    }

    private var isStorming: Bool {
        guard self.settings.stormPerSecond > 0 else { return false }
        guard let since = self.fullSince else {
            if self.online.count == self.lines.count { self.fullSince = Self.now() }
            return false
        }
        let passed = (Self.now() - since) / 1_000_000_000
        return passed >= self.settings.stormAfterSeconds
            && passed < self.settings.stormAfterSeconds + self.settings.stormSeconds
    }

    private func storm() {
        guard self.isStorming else { return }
        for _ in 0..<self.share(self.settings.stormPerSecond) {
            self.stormed += 1
            // A line nobody has, a MAC address nobody has seen.
            self.punt(SimulatedLine.discover(node: self.number + 0x8000, line: self.stormed & 0xff_ffff))
        }
    }

    private func fail() {
        let ticks = 1_000 / Int(Self.tickMs)
        if self.settings.laneLossSeconds > 0,
            Int.random(in: 0..<(self.settings.laneLossSeconds * ticks), using: &self.random) == 0
        {
            self.lanes.values.randomElement(using: &self.random)?.close()
            self.facts.faults += 1
        }
        if self.settings.rebootSeconds > 0,
            Int.random(in: 0..<(self.settings.rebootSeconds * ticks), using: &self.random) == 0
        {
            let term = self.maps.term
            self.maps = SimulatedMaps()
            self.maps.meet(term: term)
            self.epoch = self.random.next()
            self.restart()
            self.lanes[.state]?.close()
            self.facts.faults += 1
        }
    }

    /// What happened since the last call; gauges as they are.
    func takeFacts() -> SimulationFacts {
        var facts = self.facts
        facts.sessions = self.maps.sessions
        facts.onlineLines = self.online.count
        facts.isStorming = self.isStorming
        self.facts.heartbeatNs.removeAll(keepingCapacity: true)
        return facts
    }
}
