// SPDX-License-Identifier: Apache-2.0
// A server machine and a client machine on a wire with a clock of its own: frames are late, lost, doubled and out of
// order as a seeded generator says; an authority and a store answer after a while.

import BNGCore
import PPP
import PPPClient
import TestVectors

struct Wire {
    var loss = 0.0
    var duplication = 0.0
    /// A frame takes up to so many milliseconds more than another.
    var jitterMs = 0
    /// From then on nothing is lost or doubled any more.
    var badUntilMs = Int.max
}

struct LinkBench {
    enum Item {
        case toServer([UInt8])
        case toClient([UInt8])
        case serverTimer(PPPServerMachine.Timer, Int)
        case clientTimer(PPPClientMachine.Layer, Int)
        case server(PPPServerMachine.Event)
    }

    var server: PPPServerMachine
    var client: PPPClientMachine
    var wire = Wire()
    var generator: SplitMix64
    var password = Array("secret".utf8)
    var addresses = PPPAddresses(
        local: IPv4Address(rawValue: 0x6440_0001), peer: IPv4Address(rawValue: 0x6440_0009),
        dns: [IPv4Address(rawValue: 0xc000_0235), IPv4Address(rawValue: 0xc000_0236)])
    var confirmationMs = 5
    var authorityMs = 20

    var nowMs = 0
    private var queue: [(at: Int, order: Int, item: Item)] = []
    private var order = 0
    private var serverTimers: [PPPServerMachine.Timer: Int] = [:]
    private var clientTimers: [PPPClientMachine.Layer: Int] = [:]
    private var buffer = ActionBuffer<PPPServerMachine.Action>()
    var log: [PPPServerMachine.Action] = []
    var isConfirmed = false
    var finished: PPPTerminateReason?
    var sentToClient: [[UInt8]] = []

    init(
        _ authentication: [PPPAuthentication], _ settings: PPPClientSettings = .init(), seed: UInt64 = 1,
        change: (inout PPPConfiguration) -> Void = { _ in }
    ) {
        var configuration = PPPConfiguration(authentication: authentication, hostName: "bng")
        change(&configuration)
        self.generator = SplitMix64(state: seed)
        self.server = PPPServerMachine(configuration: configuration, seeds: Self.seeds)
        self.client = PPPClientMachine(settings)
    }

    static let seeds = PPPSeeds(magic: 0x5eed_0001, challenge: [UInt8](1...16), interfaceID: 0x0200_00ff_fe00_0001)

    // MARK: Running

    mutating func start() {
        self.feed(.start)
        self.client { $0.start(&$1) }
    }

    /// Until nothing is to come, or for so long.
    mutating func run(untilMs limit: Int = 200_000) {
        while let next = self.queue.indices.min(by: { self.precedes(self.queue[$0], self.queue[$1]) }),
            self.queue[next].at <= limit
        {
            let (at, _, item) = self.queue.remove(at: next)
            guard self.isDue(item) else { continue }
            self.nowMs = max(self.nowMs, at)
            self.deliver(item)
        }
    }

    /// Not a timer that was cancelled or started anew.
    private func isDue(_ item: Item) -> Bool {
        switch item {
        case .serverTimer(let timer, let order): self.serverTimers[timer] == order
        case .clientTimer(let layer, let order): self.clientTimers[layer] == order
        case .toServer, .toClient, .server: true
        }
    }

    private func precedes(_ a: (at: Int, order: Int, item: Item), _ b: (at: Int, order: Int, item: Item)) -> Bool {
        (a.at, a.order) < (b.at, b.order)
    }

    private mutating func deliver(_ item: Item) {
        switch item {
        case .toServer(let frame): self.feed(.received(frame))
        case .toClient(let frame): self.client { $0.received(frame, &$1) }
        case .serverTimer(let timer, _):
            self.serverTimers[timer] = nil
            self.feed(.timerFired(timer))
        case .clientTimer(let layer, _):
            self.clientTimers[layer] = nil
            self.client { $0.timerFired(layer, &$1) }
        case .server(let event):
            if case .confirmed = event { self.isConfirmed = true }
            self.feed(event)
        }
    }

    private mutating func push(_ item: Item, afterMs delay: Int) {
        self.order += 1
        self.queue.append((self.nowMs + delay, self.order, item))
    }

    private mutating func send(_ item: Item) {
        let isBad = self.nowMs < self.wire.badUntilMs
        if isBad, Double.random(in: 0..<1, using: &self.generator) < self.wire.loss { return }
        let copies = isBad && Double.random(in: 0..<1, using: &self.generator) < self.wire.duplication ? 2 : 1
        for _ in 0..<copies {
            let jitter = isBad ? Int.random(in: 0...self.wire.jitterMs, using: &self.generator) : 0
            self.push(item, afterMs: 1 + jitter)
        }
    }

    // MARK: The server's driver

    mutating func feed(_ event: PPPServerMachine.Event) {
        self.server.handle(event, at: ContinuousClock.now, into: &self.buffer)
        var actions: [PPPServerMachine.Action] = []
        self.buffer.drain { actions.append($0) }
        self.log += actions
        for action in actions { self.carryOut(action) }
    }

    private mutating func carryOut(_ action: PPPServerMachine.Action) {
        switch action {
        case .send(let frame), .sendConfirmed(let frame):
            self.sentToClient.append(frame)
            self.send(.toClient(frame))
        case .authenticate(let name, let proof):
            self.push(.server(self.verdict(name, proof)), afterMs: self.authorityMs)
        case .confirm: self.push(.server(.confirmed), afterMs: self.confirmationMs)
        case .startTimer(let timer, let after):
            self.order += 1
            self.serverTimers[timer] = self.order
            let (seconds, fraction) = after.components
            let delay = Int(seconds) * 1_000 + Int(fraction / 1_000_000_000_000_000)
            self.queue.append((self.nowMs + delay, self.order, .serverTimer(timer, self.order)))
        case .cancelTimer(let timer): self.serverTimers[timer] = nil
        case .finished(let reason): self.finished = reason
        case .ipv4Opened, .ipv6Opened, .count: break
        }
    }

    /// The authority: it knows one name and one password.
    private func verdict(_ name: [UInt8], _ proof: PPPProof) -> PPPServerMachine.Event {
        let isRight: Bool
        switch proof {
        case .none: isRight = true
        case .password(let given): isRight = given == self.password
        case .chap(let identifier, let challenge, let response):
            isRight = response == Self.proof(.chapMD5, identifier, self.password, challenge)
        case .msChapV2(let identifier, let challenge, let response):
            isRight = response == Self.proof(.msChapV2, identifier, self.password, challenge)
        }
        let isKnown = name == Array("alice".utf8) || proof == .none
        return isRight && isKnown
            ? .admitted(self.addresses, message: Array("welcome".utf8)) : .denied(message: Array("no".utf8))
    }

    static func proof(
        _ method: PPPAuthentication, _ identifier: UInt8, _ password: [UInt8], _ challenge: [UInt8]
    ) -> [UInt8] {
        let digest = TestDigests().md5([identifier] + password + challenge)
        return method == .msChapV2 ? digest + digest + digest + [0] : digest
    }

    // MARK: The client's driver

    mutating func client(_ body: (inout PPPClientMachine, inout [PPPClientMachine.Action]) -> Void) {
        var actions: [PPPClientMachine.Action] = []
        body(&self.client, &actions)
        for action in actions {
            switch action {
            case .send(let frame): self.send(.toServer(frame))
            case .startTimer(let layer):
                self.order += 1
                self.clientTimers[layer] = self.order
                self.queue.append((self.nowMs + 3_000, self.order, .clientTimer(layer, self.order)))
            case .cancelTimer(let layer): self.clientTimers[layer] = nil
            case .prove(let method, let identifier, let challenge):
                let response = Self.proof(method, identifier, self.client.settings.password, challenge)
                self.client { $0.proved(identifier: identifier, response: response, &$1) }
            case .opened, .finished: break
            }
        }
    }

    // MARK: What came of it

    /// IPCP is open here.
    var isOpen: Bool { self.server.phase == .network && self.log.contains(.ipv4Opened) && !self.server.isFinished }
    var runningTimers: Set<PPPServerMachine.Timer> { Set(self.serverTimers.keys) }
    func count(_ counter: PPPCounter) -> Int { self.log.count { $0 == .count(counter) } }
}
