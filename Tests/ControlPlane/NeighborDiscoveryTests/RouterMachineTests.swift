// SPDX-License-Identifier: Apache-2.0
// When a line is told of its router: at once when it asks, before anything expires, and at the end.

import BNGCore
import NDExercise
import NeighborDiscovery
import TestVectors
import Testing

/// A machine, its actions so far and a clock that is set by hand.
private struct Bench {
    var machine = RouterMachine(seed: 7)
    var now = ContinuousClock.now
    private var buffer = ActionBuffer<RouterMachine.Action>()

    mutating func feed(_ event: RouterMachine.Event, after: Duration = .zero) -> [RouterMachine.Action] {
        self.now += after
        self.machine.handle(event, at: self.now, into: &self.buffer)
        var actions: [RouterMachine.Action] = []
        self.buffer.drain { actions.append($0) }
        return actions
    }
}

private func sent(_ actions: [RouterMachine.Action]) -> [(RouterAdvertisement, IPv6Address)] {
    actions.compactMap { if case .send(let message, let to) = $0 { (message, to) } else { nil } }
}

private func timer(_ actions: [RouterMachine.Action], _ timer: RouterMachine.Timer) -> Duration? {
    actions.compactMap { if case .startTimer(timer, let after) = $0 { after } else { nil } }.first
}

private func information(_ text: String, valid: UInt32 = 7_200, preferred: UInt32 = 3_600) -> PrefixInformation? {
    IPv6Prefix(text).map {
        PrefixInformation(
            prefix: $0, isOnLink: false, isAutonomous: true, validLifetime: valid, preferredLifetime: preferred)
    }
}

private func configuration(_ prefixes: String...) -> RouterConfiguration {
    var configuration = RouterConfiguration()
    configuration.linkLayer = MACAddress(rawValue: 0x0200_0000_0001)
    configuration.mtu = 1_492
    configuration.prefixes = prefixes.compactMap { information($0) }
    return configuration
}

private func prefixes(_ message: RouterAdvertisement) -> [PrefixInformation] {
    message.options.compactMap { if case .prefix(let prefix) = $0 { prefix } else { nil } }
}

@Suite struct RouterMachineTests {
    @Test func `the first advertisement goes out at once, and two more soon`() throws {
        var bench = Bench()
        let actions = bench.feed(.start(configuration("2001:db8:1::/64")))
        let (message, destination) = try #require(sent(actions).first)
        #expect(destination == .allNodes && message.lifetime == 1_800 && message.hopLimit == 64)
        #expect(message.options.first == .sourceLinkLayer(MACAddress(rawValue: 0x0200_0000_0001)))
        #expect(prefixes(message) == [information("2001:db8:1::/64")].compactMap(\.self))
        for _ in 0..<2 {
            let after = try #require(timer(bench.feed(.timerFired(.periodic), after: .seconds(16)), .periodic))
            #expect(after <= .seconds(600))
        }
        #expect(try #require(timer(actions, .periodic)) <= .seconds(16))
    }

    @Test func `a solicitation is answered at once to who asked, and periodic ones go there too`() throws {
        var bench = Bench()
        _ = bench.feed(.start(configuration("2001:db8:1::/64")))
        for _ in 0..<3 {
            let answer = sent(bench.feed(.solicited(from: .linkLocal(9)), after: .milliseconds(1)))
            #expect(answer.map(\.1) == [.linkLocal(9)])
        }
        #expect(sent(bench.feed(.timerFired(.periodic), after: .seconds(9))).map(\.1) == [.linkLocal(9)])
    }

    @Test func `advertisements to all nodes are three seconds apart, and none is forgotten`() throws {
        var bench = Bench()
        _ = bench.feed(.start(configuration("2001:db8:1::/64")))
        let early = bench.feed(.solicited(from: .zero), after: .seconds(1))
        #expect(sent(early).isEmpty && timer(early, .postponed) == .seconds(2))
        #expect(bench.feed(.solicited(from: .zero), after: .seconds(1)).isEmpty)
        #expect(sent(bench.feed(.timerFired(.postponed), after: .seconds(1))).map(\.1) == [.allNodes])
        #expect(bench.feed(.timerFired(.postponed)).isEmpty)
        #expect(sent(bench.feed(.solicited(from: .zero), after: .seconds(3))).map(\.1) == [.allNodes])
    }

    @Test func `a flood of solicitations is answered ten times in three seconds`() {
        var bench = Bench()
        _ = bench.feed(.start(configuration("2001:db8:1::/64")))
        let answers = (0..<100).map { _ in bench.feed(.solicited(from: .linkLocal(9)), after: .milliseconds(1)) }
        #expect(answers.filter { !sent($0).isEmpty }.count == RouterMachine.answerLimit)
        #expect(answers.last == [.count(.rateLimited)])
        #expect(sent(bench.feed(.solicited(from: .linkLocal(9)), after: .seconds(3))).count == 1)
    }

    @Test func `a solicitation from a group is ignored`() {
        var bench = Bench()
        _ = bench.feed(.start(configuration("2001:db8:1::/64")))
        #expect(bench.feed(.solicited(from: .allNodes)) == [.count(.ignored)])
    }

    @Test(arguments: [(UInt16(1_800), UInt32(3_600), 600), (90, 3_600, 30), (9_000, 60, 20), (0, 900, 300), (3, 3, 3)])
    func `the next advertisement comes before anything expires`(
        _ lifetime: UInt16, _ preferred: UInt32, _ longest: Int
    ) throws {
        for seed in 0..<100 as Range<UInt64> {
            var bench = Bench()
            bench.machine = RouterMachine(seed: seed)
            var settings = configuration()
            settings.lifetime = lifetime
            settings.interval = .seconds(600)
            settings.prefixes = [information("2001:db8:1::/64", valid: 7_200, preferred: preferred)].compactMap(\.self)
            _ = bench.feed(.start(settings))
            _ = bench.feed(.timerFired(.periodic), after: .seconds(16))
            let after = try #require(timer(bench.feed(.timerFired(.periodic), after: .seconds(16)), .periodic))
            #expect(after <= .seconds(longest) && after >= .seconds(longest) * 3 / 4 || after == .seconds(3))
        }
    }

    @Test func `a prefix that went is advertised with lifetimes of zero for two hours`() throws {
        var bench = Bench()
        _ = bench.feed(.start(configuration("2001:db8:1::/64")))
        _ = bench.feed(.solicited(from: .linkLocal(9)))
        let change = sent(bench.feed(.change(configuration("2001:db8:2::/64")), after: .seconds(100)))
        let told = prefixes(try #require(change.first?.0))
        let gone = information("2001:db8:1::/64", valid: 0, preferred: 0)
        #expect(told == [information("2001:db8:2::/64"), gone].compactMap(\.self))
        let later = sent(bench.feed(.timerFired(.periodic), after: .seconds(7_199)))
        #expect(prefixes(try #require(later.first?.0)).count == 2)
        let last = sent(bench.feed(.timerFired(.periodic), after: .seconds(1)))
        #expect(prefixes(try #require(last.first?.0)).count == 1)
    }

    @Test func `a prefix that comes back is not advertised twice, and few are remembered`() throws {
        var bench = Bench()
        _ = bench.feed(.start(configuration("2001:db8:1::/64")))
        _ = bench.feed(.solicited(from: .linkLocal(9)))
        _ = bench.feed(.change(configuration("2001:db8:2::/64")))
        let back = sent(bench.feed(.change(configuration("2001:db8:1::/64"))))
        let gone = information("2001:db8:2::/64", valid: 0, preferred: 0)
        #expect(
            prefixes(try #require(back.first?.0)) == [information("2001:db8:1::/64"), gone].compactMap(\.self))
        var last: [(RouterAdvertisement, IPv6Address)] = []
        for n in 10..<60 { last = sent(bench.feed(.change(configuration("2001:db8:\(n)::/64")))) }
        #expect(prefixes(try #require(last.first?.0)).count == 9)
    }

    @Test func `what is said last has no lifetime, and then nothing is said`() throws {
        var bench = Bench()
        var settings = configuration("2001:db8:1::/64")
        settings.preference = .high
        settings.nameServers = [.loopback]
        settings.searchList = ["example.net"].compactMap { DomainName($0) }
        settings.routes = [RouteInformation(prefix: IPv6Prefix(holding: .zero, length: 0), lifetime: 1_800)]
        settings.pref64 = IPv6Prefix("64:ff9b::/96").flatMap { PREF64(prefix: $0, lifetime: 1_800) }
        _ = bench.feed(.start(settings))
        let actions = bench.feed(.stop)
        let message = try #require(sent(actions).first?.0)
        #expect(message.lifetime == 0 && message.preference == .medium && actions.contains(.cancelTimer(.periodic)))
        for option in message.options {
            switch option {
            case .prefix(let prefix): #expect(prefix.validLifetime == 0 && prefix.preferredLifetime == 0)
            case .rdnss(_, let lifetime), .dnssl(_, let lifetime): #expect(lifetime == 0)
            case .route(let route): #expect(route.lifetime == 0)
            case .pref64(let pref64): #expect(pref64.lifetime == 0)
            default: break
            }
        }
        #expect(message.options.count == 7 && bench.machine.isIdle)
        for event in [RouterMachine.Event.stop, .solicited(from: .linkLocal(9)), .timerFired(.periodic)] {
            #expect(bench.feed(event) == [.count(.ignored)])
        }
    }

    @Test func `managed and other configuration are said when they are so`() throws {
        var bench = Bench()
        var settings = configuration()
        settings.isManaged = true
        settings.hasOtherConfiguration = true
        settings.linkLayer = nil
        let message = try #require(sent(bench.feed(.start(settings))).first?.0)
        #expect(message.isManaged && message.hasOtherConfiguration && message.options == [.mtu(1_492)])
    }

    @Test func `five thousand random lists of events keep every promise`() {
        var random = SplitMix64(state: 20_261_123)
        for _ in 0..<5_000 {
            let count = Int(random.next() % 64)
            let data = (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            #expect(NDExercise.problem(with: data) == nil, "\(data)")
        }
    }
}
