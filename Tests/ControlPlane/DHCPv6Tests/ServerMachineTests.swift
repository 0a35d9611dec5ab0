// SPDX-License-Identifier: Apache-2.0
// RFC 8415 18.3 message by message, as one client sees it.

import BNGCore
import DHCPv6
import DHCPv6Exercise
import TestVectors
import Testing

private typealias Machine = DHCPv6ServerMachine
private let server = DUID.enterprise(32_473, Array("bng".utf8))
private let client = DUID.enterprise(32_473, Array("cpe".utf8))
private let na = DHCPv6AssociationKey(.nonTemporary, 1)
private let pd = DHCPv6AssociationKey(.delegation, 2)
private func ip(_ text: String) -> IPv6Address { IPv6Address(text) ?? .zero }
private func net(_ text: String) -> IPv6Prefix { IPv6Prefix(text) ?? IPv6Prefix(holding: .zero, length: 0) }
private let address = DHCPv6Binding(na, .address(ip("2001:db8::9")))
private let prefix = DHCPv6Binding(pd, .prefix(net("2001:db8:100::/56")))

private func association(_ key: DHCPv6AssociationKey, _ resources: DHCPv6Lease.Resource...) -> DHCPv6Option {
    .association(
        IdentityAssociation(
            key.kind, id: key.id, options: resources.map { .lease(DHCPv6Lease($0, preferred: 0, valid: 0)) }))
}

private func message(_ type: DHCPv6MessageType, _ options: DHCPv6Option...) -> DHCPv6Message {
    let names: [DHCPv6Option] =
        [.request, .renew, .release, .decline].contains(type)
        ? [.clientID(client), .serverID(server)] : [.clientID(client)]
    return DHCPv6Message(type, transactionID: 7, options: names + options)
}

private struct Bench {
    var machine: Machine
    private var buffer = ActionBuffer<Machine.Action>()

    init(bound: [DHCPv6Binding] = []) {
        var configuration = DHCPv6Configuration(serverID: server)
        configuration.onLink = [net("2001:db8::/64")]
        configuration.options = [.nameServers([ip("2001:db8::53")]), .other(32, [0, 0, 14, 16])]
        self.machine = Machine(configuration: configuration, bound: bound)
    }

    mutating func feed(_ event: Machine.Event) -> [Machine.Action] {
        self.machine.handle(event, at: .now, into: &self.buffer)
        var actions: [Machine.Action] = []
        self.buffer.drain { actions.append($0) }
        return actions
    }

    mutating func say(_ message: DHCPv6Message) -> [Machine.Action] {
        self.feed(.received(message, isUnicast: false))
    }
}

private func sent(_ actions: [Machine.Action]) -> DHCPv6Message? {
    actions.compactMap { if case .send(let message) = $0 { message } else { nil } }.first
}

private func leases(_ message: DHCPv6Message?) -> [DHCPv6Lease] { message?.associations.flatMap(\.leases) ?? [] }

@Suite struct ServerMachineTests {
    @Test func `an address and a prefix are advertised together, requested, and promised once confirmed`() throws {
        var bench = Bench()
        #expect(
            bench.say(message(.solicit, association(na), association(pd), .optionRequest([23]))) == [
                .requestAddress(na, wish: nil, exact: false), .requestPrefix(pd, wish: nil, exact: false),
            ])
        #expect(bench.feed(.granted(prefix)).isEmpty)
        let advertised = bench.feed(.granted(address))
        let advertise = try #require(sent(advertised))
        #expect(advertise.type == .advertise && advertise.transactionID == 7 && advertise.clientID == client)
        #expect(leases(advertise).map(\.resource) == [address.resource, prefix.resource])
        #expect(advertise.options.contains(.preference(255)))
        #expect(advertise.options.last == .nameServers([ip("2001:db8::53")]))
        #expect(advertised.contains(.startTimer(.offer, after: .seconds(30))))
        let request = message(.request, association(na, address.resource), association(pd, prefix.resource))
        #expect(bench.say(request) == [.confirm([address, prefix])])
        #expect(bench.machine.bindings.isEmpty)
        let granted = bench.feed(.confirmed)
        let reply = try #require(sent(granted))
        #expect(reply.type == .reply && leases(reply).allSatisfy { $0.valid == 7_200 && $0.preferred == 3_600 })
        #expect(reply.associations.allSatisfy { $0.renewal == 1_800 && $0.rebinding == 2_880 })
        #expect(granted.contains(.cancelTimer(.offer)) && bench.machine.bindings == [address, prefix])
    }

    @Test func `rapid commit promises at once what is confirmed`() throws {
        var bench = Bench()
        _ = bench.say(message(.solicit, .rapidCommit, association(na)))
        #expect(bench.feed(.granted(address)) == [.confirm([address])])
        let reply = try #require(sent(bench.feed(.confirmed)))
        #expect(reply.type == .reply && reply.wantsRapidCommit && leases(reply).count == 1)
        bench.machine.configuration.allowsRapidCommit = false
        #expect(sent(bench.say(message(.solicit, .rapidCommit, association(na))))?.type == .advertise)
    }

    @Test func `rapid commit with nothing to give is answered with an Advertise`() throws {
        var bench = Bench()
        _ = bench.say(message(.solicit, .rapidCommit, association(na)))
        let advertise = try #require(sent(bench.feed(.denied(na, .exhausted))))
        #expect(advertise.type == .advertise && !advertise.wantsRapidCommit)
        #expect(advertise.associations.first?.status == DHCPv6StatusCode.noAddresses && bench.machine.isIdle)
    }

    @Test func `one that is exhausted does not take the other down`() throws {
        var bench = Bench()
        _ = bench.say(message(.request, association(na), association(pd)))
        #expect(bench.feed(.denied(pd, .exhausted)).isEmpty)
        #expect(bench.feed(.granted(address)) == [.confirm([address])])
        let reply = try #require(sent(bench.feed(.confirmed)))
        #expect(reply.associations.map(\.status) == [nil, DHCPv6StatusCode.noPrefixes])
        #expect(reply.associations.last?.renewal == 0)
    }

    @Test func `what was not confirmed is not promised and goes back`() {
        var bench = Bench()
        _ = bench.say(message(.request, association(na)))
        _ = bench.feed(.granted(address))
        #expect(bench.feed(.confirmationFailed) == [.withdraw([address]), .count(.silent)])
        #expect(bench.machine.isIdle)
    }

    @Test func `an offer nobody requests goes back`() {
        var bench = Bench()
        _ = bench.say(message(.solicit, association(na)))
        _ = bench.feed(.granted(address))
        #expect(bench.feed(.timerFired(.offer)) == [.withdraw([address])] && bench.machine.isIdle)
    }

    @Test func `an offer stands for the request and for a second Solicit`() {
        var bench = Bench()
        _ = bench.say(message(.solicit, association(na)))
        _ = bench.feed(.granted(address))
        #expect(leases(sent(bench.say(message(.solicit, association(na))))).map(\.resource) == [address.resource])
        #expect(bench.say(message(.request, association(na))) == [.confirm([address])])
    }

    @Test func `a hint for a length and a wish reach the pool`() {
        var bench = Bench()
        let wishes = message(
            .solicit, association(pd, .prefix(net("::/60"))), association(na, .address(ip("2001:db8::77"))))
        #expect(
            bench.say(wishes) == [
                .requestPrefix(pd, wish: net("::/60"), exact: false),
                .requestAddress(na, wish: ip("2001:db8::77"), exact: false),
            ])
    }

    @Test func `a message that comes while one waits is dropped, but what changes nothing is answered`() {
        var bench = Bench()
        _ = bench.say(message(.solicit, association(na)))
        for type in [DHCPv6MessageType.solicit, .request, .renew, .rebind, .release, .decline] {
            #expect(bench.say(message(type, association(na))) == [.count(.busy)])
        }
        #expect(sent(bench.say(message(.informationRequest)))?.type == .reply)
        #expect(sent(bench.feed(.granted(address)))?.type == .advertise)
    }

    @Test func `an address asked for on another link is not on link, a prefix is not there`() throws {
        var bench = Bench()
        _ = bench.say(message(.request, association(na, .address(ip("2001:db8:9::1"))), association(pd)))
        _ = bench.feed(.denied(na, .notOnLink))
        let reply = try #require(sent(bench.feed(.denied(pd, .notOnLink))))
        #expect(
            reply.associations.map(\.status) == [DHCPv6StatusCode.notOnLink, DHCPv6StatusCode.noPrefixes])
    }

    @Test func `Confirm says whether addresses are on link, and nothing where there is none`() {
        var bench = Bench()
        let good = message(.confirm, association(na, .address(ip("2001:db8::77"))))
        let bad = message(.confirm, association(na, .address(ip("2001:db8::77")), .address(ip("2001:db8:1::7"))))
        #expect(sent(bench.say(good))?.options.last == .status(DHCPv6StatusCode.success, text: []))
        #expect(sent(bench.say(bad))?.options.last == .status(DHCPv6StatusCode.notOnLink, text: []))
        #expect(bench.say(message(.confirm, association(na))) == [.count(.silent)])
        #expect(bench.say(message(.confirm, association(pd, prefix.resource))) == [.count(.silent)])
        bench.machine.configuration.onLink = []
        #expect(bench.say(good) == [.count(.silent)])
    }

    @Test(arguments: [DHCPv6MessageType.renew, .rebind])
    func `what is bound is extended once confirmed, and what else the client has is worthless`(
        _ type: DHCPv6MessageType
    ) throws {
        var bench = Bench(bound: [address, prefix])
        let other = DHCPv6Lease.Resource.address(ip("2001:db8::66"))
        #expect(
            bench.say(message(type, association(na, other, address.resource))) == [.confirm([address, prefix])])
        let told = leases(sent(bench.feed(.confirmed)))
        #expect(told.map(\.resource) == [address.resource, other] && told.map(\.valid) == [7_200, 0])
    }

    @Test func `what nobody remembers is extended if it is free, and met with NoBinding if not`() throws {
        var bench = Bench()
        let renew = message(.renew, association(na, address.resource))
        #expect(bench.say(renew) == [.requestAddress(na, wish: ip("2001:db8::9"), exact: true)])
        #expect(bench.feed(.granted(address)) == [.confirm([address])])
        _ = bench.feed(.confirmed)
        #expect(bench.machine.bindings == [address])
        for (type, denial) in [
            (DHCPv6MessageType.renew, Machine.Denial.notOnLink), (.renew, .notYours), (.rebind, .notYours),
        ] {
            var other = Bench()
            _ = other.say(message(type, association(na, address.resource)))
            let reply = try #require(sent(other.feed(.denied(na, denial))))
            #expect(reply.associations.first?.status == DHCPv6StatusCode.noBinding && leases(reply).isEmpty)
        }
    }

    @Test func `a Rebind for another link gets lifetimes of zero`() throws {
        var bench = Bench()
        let rebind = message(.rebind, association(pd, prefix.resource))
        #expect(bench.say(rebind) == [.requestPrefix(pd, wish: net("2001:db8:100::/56"), exact: true)])
        let reply = try #require(sent(bench.feed(.denied(pd, .notOnLink))))
        #expect(leases(reply).map(\.resource) == [prefix.resource] && leases(reply).map(\.valid) == [0])
    }

    @Test func `Release gives back what is named, and strangers are told so`() throws {
        var bench = Bench(bound: [address, prefix])
        let release = message(
            .release, association(na, address.resource), association(pd, .prefix(net("2001:db8:200::/56"))),
            association(DHCPv6AssociationKey(.nonTemporary, 9), address.resource))
        let actions = bench.say(release)
        #expect(actions.first == .released([address]) && bench.machine.bindings == [prefix])
        let reply = try #require(sent(actions))
        #expect(reply.options.contains(.status(DHCPv6StatusCode.success, text: [])))
        #expect(reply.associations.map(\.id) == [9])
        #expect(reply.associations.first?.status == DHCPv6StatusCode.noBinding)
    }

    @Test func `Decline takes addresses back, never prefixes`() {
        var bench = Bench(bound: [address, prefix])
        let decline = message(.decline, association(na, address.resource), association(pd, prefix.resource))
        #expect(bench.say(decline).first == .declined([address]))
        #expect(bench.machine.bindings == [prefix])
    }

    @Test func `Information-Request gets what it asks for, with or without a name`() throws {
        var bench = Bench()
        let nameless = DHCPv6Message(.informationRequest, transactionID: 3, options: [.optionRequest([32])])
        let reply = try #require(sent(bench.say(nameless)))
        #expect(reply.options == [.serverID(server), .other(32, [0, 0, 14, 16])])
        #expect(bench.say(message(.informationRequest, association(na))) == [.count(.malformed)])
    }

    @Test func `messages without their names, or with another server's, are dropped`() {
        var bench = Bench()
        for type in [DHCPv6MessageType.solicit, .confirm, .rebind, .request, .renew, .release, .decline] {
            #expect(bench.say(DHCPv6Message(type, transactionID: 1)) == [.count(.malformed)])
        }
        for type in [DHCPv6MessageType.solicit, .confirm, .rebind] {
            #expect(bench.say(message(type, .serverID(server))) == [.count(.malformed)])
        }
        for type in [DHCPv6MessageType.request, .renew, .release, .decline, .informationRequest] {
            let other = DHCPv6Message(type, transactionID: 1, options: [.clientID(client), .serverID(client)])
            #expect(bench.say(other) == [.count(.otherServer)])
        }
        for type in [DHCPv6MessageType.advertise, .reply, .reconfigure] {
            #expect(bench.say(message(type)) == [.count(.malformed)])
        }
        #expect(bench.machine.isIdle)
    }

    @Test func `unicast is told to use multicast, or not answered`() {
        var bench = Bench(bound: [address])
        for type in [DHCPv6MessageType.request, .renew, .release, .decline] {
            let actions = bench.feed(.received(message(type, association(na, address.resource)), isUnicast: true))
            #expect(sent(actions)?.options.last == .status(DHCPv6StatusCode.useMulticast, text: []))
        }
        for type in [DHCPv6MessageType.solicit, .confirm, .rebind, .informationRequest] {
            #expect(bench.feed(.received(message(type), isUnicast: true)) == [.count(.malformed)])
        }
        #expect(bench.machine.bindings == [address])
    }

    @Test func `associations beyond the limit, temporary ones and repeated ones get nothing more`() throws {
        var bench = Bench()
        var solicit = message(.solicit, association(DHCPv6AssociationKey(.temporary, 1)))
        for id in 0..<1_000 as Range<UInt32> {
            solicit.options.append(association(DHCPv6AssociationKey(.nonTemporary, id % 500)))
        }
        #expect(bench.say(solicit).count == 4)
        for id in 0..<3 as Range<UInt32> {
            #expect(bench.feed(.denied(DHCPv6AssociationKey(.nonTemporary, id), .exhausted)).isEmpty)
        }
        let advertise = sent(bench.feed(.denied(DHCPv6AssociationKey(.nonTemporary, 3), .exhausted)))
        let associations = try #require(advertise).associations
        #expect(associations.count == 501)
        #expect(associations.allSatisfy { $0.status == DHCPv6StatusCode.noAddresses })
    }

    @Test func `an answer to a question that is no longer asked goes back to the pool`() {
        var bench = Bench()
        _ = bench.say(message(.solicit, association(na)))
        #expect(bench.feed(.ended).isEmpty)
        #expect(bench.feed(.granted(address)) == [.withdraw([address])])
        #expect(bench.feed(.confirmed).isEmpty && bench.feed(.denied(na, .exhausted)).isEmpty)
    }

    @Test func `random lists of events lose nothing and promise nothing unconfirmed`() {
        var random = SplitMix64(state: 20_261_123)
        for _ in 0..<5_000 {
            let count = Int(random.next() % 64)
            let data = (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            #expect(DHCPv6Exercise.problem(with: data) == nil, "\(data)")
        }
    }
}
