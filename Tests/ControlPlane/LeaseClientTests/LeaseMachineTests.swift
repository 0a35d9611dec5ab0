// SPDX-License-Identifier: Apache-2.0
// The lease machine by tables of events; resources are numbers here, for it does not look into them.

import BNGCore
import LeaseClient
import Testing

private typealias Lease = LeaseMachine<Int>

/// A machine with a clock of its own.
private struct Bench {
    var machine: Lease
    var now = ContinuousClock.now
    /// What the timer was set to last.
    var timer: Duration?

    init(minimum: UInt32 = 100, transmissions: Int = 3, seed: UInt64 = 1) {
        var settings = Lease.Settings(minimum: minimum)
        settings.schedule = .init(initialMs: 1_000, maximumMs: 4_000, transmissions: transmissions)
        self.machine = Lease(settings, seed: seed)
    }

    /// What comes of an event, timers aside.
    mutating func on(_ event: Lease.Event) -> [Lease.Action] {
        var actions = ActionBuffer<Lease.Action>()
        self.machine.handle(event, at: self.now, into: &actions)
        var rest: [Lease.Action] = []
        actions.drain { action in
            if case .startTimer(let delay) = action { self.timer = delay } else { rest.append(action) }
        }
        return rest
    }

    /// Lets the timer's time pass.
    mutating func fire() throws -> [Lease.Action] {
        self.now += try #require(self.timer)
        self.timer = nil
        return self.on(.timerFired)
    }

    /// Holds `resource` of server 0 for this long.
    mutating func hold(_ resource: Int = 7, for lifetime: UInt32 = 1_000, renewal: UInt32? = nil) {
        _ = self.on(.begin(wish: nil, isExact: false))
        _ = self.on(.answered(.offered(resource, server: [9]), from: 0))
        _ = self.on(.answered(.granted(grant(resource, lifetime, renewal)), from: 0))
    }
}

private func grant(_ resource: Int = 7, _ lifetime: UInt32 = 1_000, _ renewal: UInt32? = nil) -> GrantedLease<Int> {
    GrantedLease(resource: resource, server: [9], lifetime: lifetime, renewal: renewal)
}

@Suite struct LeaseMachineTests {
    @Test func `discovers, requests what is offered, and holds it`() {
        var bench = Bench()
        #expect(bench.on(.begin(wish: 5, isExact: false)) == [.send(.discover(wish: 5), to: .turn(0))])
        #expect(bench.machine.isExchanging)
        let offered = bench.on(.answered(.offered(7, server: [9]), from: 1))
        #expect(offered == [.send(.request(7, server: [9]), to: .server(1))])
        #expect(bench.on(.answered(.granted(grant()), from: 1)) == [.acquired(grant())])
        #expect(!bench.machine.isExchanging && bench.machine.resource == 7)
    }

    @Test func `asks one server after the other and gives up`() throws {
        var bench = Bench()
        _ = bench.on(.begin(wish: nil, isExact: false))
        #expect(try bench.fire() == [.send(.discover(wish: nil), to: .turn(1))])
        #expect(try bench.fire() == [.send(.discover(wish: nil), to: .turn(2))])
        #expect(try bench.fire() == [.failed(.silent)])
        #expect(bench.machine.isOver)
    }

    @Test func `a request is repeated to the server that offered`() throws {
        var bench = Bench()
        _ = bench.on(.begin(wish: nil, isExact: false))
        _ = bench.on(.answered(.offered(7, server: [9]), from: 1))
        #expect(try bench.fire() == [.send(.request(7, server: [9]), to: .server(1))])
        #expect(bench.on(.answered(.refused, from: 1)) == [.failed(.refused)])
    }

    @Test(arguments: [8, 7]) func `only the wish will do`(offered: Int) {
        var bench = Bench()
        _ = bench.on(.begin(wish: 7, isExact: true))
        let actions = bench.on(.answered(.offered(offered, server: [9]), from: 0))
        #expect(
            actions == (offered == 7 ? [.send(.request(7, server: [9]), to: .server(0))] : [.failed(.otherOffered)]))
    }

    @Test func `a server that grants what it did not offer gets it back`() {
        var bench = Bench()
        _ = bench.on(.begin(wish: nil, isExact: false))
        _ = bench.on(.answered(.offered(7, server: [9]), from: 0))
        #expect(
            bench.on(.answered(.granted(grant(8)), from: 0))
                == [.send(.release(8, server: [9]), to: .server(0)), .failed(.otherOffered)])
    }

    @Test func `a lease too short is given back, one just long enough is not`() {
        var bench = Bench(minimum: 1_000)
        bench.hold(for: 1_000)
        #expect(bench.machine.resource == 7)
        bench = Bench(minimum: 1_000)
        _ = bench.on(.begin(wish: nil, isExact: false))
        _ = bench.on(.answered(.offered(7, server: [9]), from: 0))
        #expect(
            bench.on(.answered(.granted(grant(7, 999)), from: 0))
                == [.send(.release(7, server: [9]), to: .server(0)), .failed(.tooShort(999))])
    }

    @Test func `rapid commit grants at once`() {
        var bench = Bench()
        _ = bench.on(.begin(wish: nil, isExact: false))
        #expect(bench.on(.answered(.granted(grant()), from: 0)) == [.acquired(grant())])
    }

    @Test func `renews at half the lease, a tenth early at most, and again from there`() throws {
        for seed in 0..<50 as Range<UInt64> {
            var bench = Bench(seed: seed)
            bench.hold(for: 1_000)
            let wait = try #require(bench.timer)
            #expect(wait <= .seconds(500) && wait >= .seconds(450))
            #expect(try bench.fire() == [.send(.renew(7, server: [9]), to: .server(0))])
            #expect(bench.on(.answered(.granted(grant()), from: 0)) == [.extended(grant())])
            #expect(try #require(bench.timer) >= .seconds(450))
        }
    }

    @Test(arguments: [(0, 500), (3, 5), (200, 200), (999, 500), (1_000, 500)] as [(UInt32, Int)])
    func `a server's T1 is taken if it makes sense`(renewal: UInt32, expected: Int) throws {
        var bench = Bench()
        bench.hold(for: 1_000, renewal: renewal)
        let wait = try #require(bench.timer)
        #expect(wait <= .seconds(expected) && wait >= .seconds(expected) * 9 / 10)
    }

    @Test func `a silent server is asked again, then any, until the lease has ended`() throws {
        var bench = Bench(transmissions: 1)
        bench.hold(for: 1_000)
        let start = bench.now
        var recipients: [LeaseRecipient] = []
        while true {
            let actions = try bench.fire()
            if actions == [.lost(.expired)] { break }
            for case .send(let request, let recipient) in actions {
                recipients.append(recipient)
                let isLate = bench.now >= start + .seconds(875)
                #expect(request == (isLate ? .rebind(7) : .renew(7, server: [9])))
            }
            #expect(recipients.count < 100)
        }
        let elapsed = start.duration(to: bench.now)
        #expect(elapsed >= .seconds(1_000) && elapsed < .seconds(1_011))
        #expect(recipients.contains(.server(0)) && recipients.last == .turn(0))
        #expect(bench.machine.isOver)
    }

    @Test func `a refusal takes the lease away`() throws {
        var bench = Bench()
        bench.hold()
        _ = try bench.fire()
        #expect(bench.on(.answered(.refused, from: 0)) == [.lost(.refused)])
        #expect(bench.machine.isOver)
    }

    @Test func `something else in place of an extension takes the lease away`() throws {
        var bench = Bench()
        bench.hold()
        _ = try bench.fire()
        let actions = bench.on(.answered(.granted(grant(8)), from: 1))
        #expect(actions == [.send(.release(8, server: [9]), to: .server(1)), .lost(.refused)])
        #expect(bench.machine.isOver)
    }

    @Test func `an answer that extends nothing changes nothing`() throws {
        var bench = Bench()
        bench.hold()
        _ = try bench.fire()
        #expect(bench.on(.answered(.granted(grant(7, 0)), from: 0)) == [.ignored])
        #expect(bench.on(.answered(.offered(7, server: [9]), from: 0)) == [.ignored])
        #expect(bench.machine.isExchanging && bench.machine.resource == 7)
    }

    @Test func `answers nobody waits for are ignored`() {
        var bench = Bench()
        #expect(bench.on(.answered(.refused, from: 0)) == [.ignored])
        bench.hold()
        for answer in [.offered(7, server: [9]), .granted(grant()), .refused] as [LeaseAnswer<Int>] {
            #expect(bench.on(.answered(answer, from: 0)) == [.ignored])
        }
        #expect(bench.machine.resource == 7)
    }

    @Test func `is released to its server, in the middle of an extension too`() throws {
        var bench = Bench()
        bench.hold()
        var other = bench
        #expect(bench.on(.release) == [.send(.release(7, server: [9]), to: .server(0))])
        _ = try other.fire()
        #expect(other.on(.release) == [.send(.release(7, server: [9]), to: .server(0))])
        #expect(other.machine.isOver && bench.machine.isOver && bench.on(.release) == [])
    }

    @Test func `a request given up is released, a discovery is not`() {
        var bench = Bench()
        _ = bench.on(.begin(wish: nil, isExact: false))
        var other = bench
        #expect(other.on(.release) == [])
        _ = bench.on(.answered(.offered(7, server: [9]), from: 0))
        #expect(bench.on(.release) == [.send(.release(7, server: [9]), to: .server(0))])
    }

    @Test func `is declined`() {
        var bench = Bench()
        bench.hold()
        #expect(bench.on(.decline) == [.send(.decline(7, server: [9]), to: .server(0))])
        #expect(bench.machine.isOver)
    }

    @Test func `a resumed lease asks any server at once and then knows its own`() throws {
        var bench = Bench()
        #expect(bench.on(.resume(7, until: bench.now + .seconds(60))) == [])
        #expect(bench.machine.resource == 7 && !bench.machine.isExchanging)
        #expect(try bench.fire() == [.send(.rebind(7), to: .turn(0))])
        #expect(bench.on(.answered(.granted(grant()), from: 1)) == [.extended(grant())])
        #expect(bench.on(.release) == [.send(.release(7, server: [9]), to: .server(1))])
    }

    @Test func `a resumed lease ends when its user's promise does, and is released to all`() throws {
        var bench = Bench(transmissions: 1)
        _ = bench.on(.resume(7, until: bench.now + .seconds(60)))
        var other = bench
        #expect(other.on(.release) == [.send(.release(7, server: nil), to: .all)])
        let start = bench.now
        var last: [Lease.Action] = []
        while last != [.lost(.expired)] { last = try bench.fire() }
        #expect(start.duration(to: bench.now) >= .seconds(60) && start.duration(to: bench.now) < .seconds(71))
    }

    @Test func `a lease for ever is not asked about`() throws {
        var bench = Bench()
        bench.hold(for: .max)
        #expect(try #require(bench.timer) > .seconds(86_400 * 365))
    }

    /// Whatever comes in whatever order: no trap, a lease that is over stays over, and what is held is what was granted.
    @Test func `random events`() {
        var random = JitterSource(state: 42)
        for seed in 0..<2_000 as Range<UInt64> {
            var bench = Bench(seed: seed)
            var wasOver = false
            for _ in 0..<40 {
                bench.now += .seconds(Int.random(in: 0...300, using: &random))
                let resource = Int.random(in: 1...3, using: &random)
                let lifetime = ([0, 50, 1_000, .max] as [UInt32]).randomElement(using: &random) ?? 0
                let t1 = ([nil, 0, 10, 400, .max] as [UInt32?]).randomElement(using: &random) ?? nil
                let events: [Lease.Event] = [
                    .begin(wish: resource, isExact: Bool.random(using: &random)),
                    .resume(resource, until: bench.now + .seconds(30)),
                    .answered(.offered(resource, server: [1]), from: 0),
                    .answered(.granted(grant(resource, lifetime, t1)), from: 1), .answered(.refused, from: 0),
                    .timerFired, .timerFired, .release, .decline,
                ]
                guard let event = events.randomElement(using: &random) else { continue }
                let actions = bench.on(event)
                if wasOver { #expect(bench.machine.isOver && actions.allSatisfy { $0 == .ignored }) }
                wasOver = bench.machine.isOver
                if wasOver { #expect(bench.machine.resource == nil) }
            }
        }
    }
}
