// SPDX-License-Identifier: Apache-2.0
// Changes by operators: checked, durable before they are in force, told once.

import BNGCore
import Subscribers
import Synchronization
import Testing

@testable import LocalAAA

private final class MemoryStore: SubscriberStoring {
    struct Failure: Error {}
    let rows = Mutex<[String: LocalSubscriber]>([:])
    let fails = Atomic<Bool>(false)

    func put(_ subscriber: LocalSubscriber) async throws {
        if self.fails.load(ordering: .relaxed) { throw Failure() }
        self.rows.withLock { $0[subscriber.name] = subscriber }
    }
    func remove(_ name: String) async throws {
        if self.fails.load(ordering: .relaxed) { throw Failure() }
        self.rows.withLock { $0[name] = nil }
    }
}

private struct World {
    let store = MemoryStore()
    let changes = ChangeLog()
    let registry: SubscriberRegistry

    init(_ subscribers: [LocalSubscriber] = []) throws {
        let catalog = PlanCatalog(plans: [ServicePlan(name: "gold")], pools: ["main"])
        let changes = self.changes
        self.registry = SubscriberRegistry(
            subscribers, catalog: catalog, cryptography: try CryptoPasswords(keyFile: ""), store: self.store
        ) { changes.add($0) }
    }

    func names() async -> [String] { await self.registry.page(after: nil, limit: 100).map(\.name) }
}

private final class ChangeLog: Sendable {
    private let names = Mutex<[String]>([])
    func add(_ name: String) { self.names.withLock { $0.append(name) } }
    var all: [String] { self.names.withLock { $0 } }
}

private func plan(_ name: String) -> LocalSubscriberChange {
    var change = LocalSubscriberChange()
    change.plan = .set(name)
    return change
}

struct SubscriberRegistryTests {
    @Test func `an added subscriber is stored, listed in order, in force and told`() async throws {
        let world = try World()
        for name in ["c", "a", "b"] { _ = try await world.registry.add(name, plan("gold")) }
        #expect(await world.names() == ["a", "b", "c"])
        #expect(world.store.rows.withLock { $0.count } == 3)
        #expect(world.changes.all == ["c", "a", "b"])
        var grant = ServiceGrant(source: .local, userName: "a")
        grant.plan = "gold"
        #expect(await world.registry.authenticator.answer(request("a")) == .accept(grant))
        #expect(await world.registry.page(after: "a", limit: 1).map(\.name) == ["b"])
        #expect(await world.registry.page(after: "aa", limit: 9).map(\.name) == ["b", "c"])
        await #expect(throws: LocalAAAError.exists("a")) { try await world.registry.add("a", plan("gold")) }
    }

    @Test func `suspending, changing and deleting act at once and are told once`() async throws {
        let world = try World()
        _ = try await world.registry.add("a", plan("gold"))
        var suspend = LocalSubscriberChange()
        suspend.isSuspended = true
        _ = try await world.registry.change("a", suspend)
        #expect(await world.registry.authenticator.answer(request("a")) == .reject(message: "suspended"))
        _ = try await world.registry.change("a", suspend)
        try await world.registry.remove("a")
        #expect(await world.registry.authenticator.answer(request("a")) == nil)
        #expect(world.changes.all == ["a", "a", "a"], "an equal change is none")
        #expect(world.store.rows.withLock { $0.isEmpty })
        await #expect(throws: LocalAAAError.unknown("a")) { try await world.registry.remove("a") }
        await #expect(throws: LocalAAAError.unknown("a")) { try await world.registry.change("a", suspend) }
    }

    @Test func `an entry of the file is read-only`() async throws {
        let world = try World([LocalSubscriber(name: "a", origin: .file("/etc/s.yaml"))])
        let refusal = LocalAAAError.definedInFile(name: "a", file: "/etc/s.yaml")
        await #expect(throws: refusal) { try await world.registry.add("a", plan("gold")) }
        await #expect(throws: refusal) { try await world.registry.change("a", plan("gold")) }
        await #expect(throws: refusal) { try await world.registry.remove("a") }
        #expect(refusal.description.contains("defined in /etc/s.yaml"))
    }

    @Test func `what cannot be served is refused with words`() async throws {
        let world = try World()
        func words(_ change: LocalSubscriberChange, _ name: String = "x") async -> String {
            do {
                _ = try await world.registry.add(name, change)
                return "accepted"
            } catch { return error.description }
        }
        #expect(await words(plan("none")) == "no plan is named none")
        var change = LocalSubscriberChange()
        change.pool = .set("other")
        #expect(await words(change) == "no pool is named other")
        change = LocalSubscriberChange()
        change.address = .set(.broadcast)
        #expect(await words(change).hasPrefix("the address 255.255.255.255"))
        change.address = .keep
        let route = try #require(IPv4Prefix("192.0.2.0/24"))
        change.routes = .set(Array(repeating: route, count: 17))
        #expect(await words(change) == "17 routes: expected at most 16")
        for name in ["", "a\nb", String(repeating: "x", count: 254)] {
            #expect(await words(plan("gold"), name).hasPrefix("the name: expected 1 to 253 bytes"))
        }
        #expect(await world.names().isEmpty && world.changes.all.isEmpty)
    }

    @Test func `an address of one pool is given once, and free again after a change`() async throws {
        let world = try World()
        var change = LocalSubscriberChange()
        change.address = .set(try #require(IPv4Address("192.0.2.9")))
        _ = try await world.registry.add("a", change)
        await #expect(throws: LocalAAAError.invalid("the address 192.0.2.9 is already given to subscriber a")) {
            try await world.registry.add("b", change)
        }
        _ = try await world.registry.change("a", change)
        var elsewhere = change
        elsewhere.pool = .set("main")
        _ = try await world.registry.add("b", elsewhere)
        var none = LocalSubscriberChange()
        none.address = .clear
        _ = try await world.registry.change("a", none)
        _ = try await world.registry.add("c", change)
        try await world.registry.remove("c")
        _ = try await world.registry.add("d", change)
    }

    @Test func `prefixes and IPv6 addresses are given once, and only such as can be served`() async throws {
        let world = try World()
        var change = LocalSubscriberChange()
        change.linkPrefix = .set(try #require(IPv6Prefix("2001:db8:0:1::/64")))
        change.delegatedPrefix = .set(try #require(IPv6Prefix("2001:db8:100::/56")))
        change.ipv6Address = .set(try #require(IPv6Address("2001:db8::9")))
        let route = try #require(IPv6Prefix("2001:db8:f::/48"))
        change.ipv6Routes = .set([route])
        var expected = IPv6Grant()
        (expected.linkPrefix, expected.routes) = (IPv6Prefix("2001:db8:0:1::/64"), [route])
        (expected.delegatedPrefix, expected.address) = (IPv6Prefix("2001:db8:100::/56"), IPv6Address("2001:db8::9"))
        #expect(try await world.registry.add("a", change).grant.ipv6 == expected)
        func words(_ change: LocalSubscriberChange) async -> String {
            do {
                _ = try await world.registry.add("b", change)
                return "accepted"
            } catch { return error.description }
        }
        var one = LocalSubscriberChange()
        one.linkPrefix = change.linkPrefix
        #expect(await words(one) == "the prefix 2001:db8:0:1::/64 is already given to subscriber a")
        one = LocalSubscriberChange()
        one.ipv6Address = change.ipv6Address
        #expect(await words(one) == "the address 2001:db8::9 is already given to subscriber a")
        one.ipv6Address = .set(.linkLocal(1))
        #expect(await words(one) == "the address fe80::1: expected a routable one")
        one = LocalSubscriberChange()
        one.linkPrefix = .set(try #require(IPv6Prefix("2001:db8::/63")))
        #expect(await words(one).contains("expected a routable one of length 64"))
        one = LocalSubscriberChange()
        one.delegatedPrefix = .set(try #require(IPv6Prefix("2001:db8::/65")))
        #expect(await words(one).contains("expected a routable one of length 1-64"))
        one = LocalSubscriberChange()
        one.ipv6Routes = .set(Array(repeating: route, count: 9))
        #expect(await words(one) == "9 routes: expected at most 8")
        one.ipv6Routes = .set([try #require(IPv6Prefix("fe80::/64"))])
        #expect(await words(one) == "the route fe80::/64: expected a routable prefix")
        var none = LocalSubscriberChange()
        (none.linkPrefix, none.delegatedPrefix, none.ipv6Address, none.ipv6Routes) = (.clear, .clear, .clear, .clear)
        #expect(try await world.registry.change("a", none).grant.ipv6 == nil)
        #expect(await words(change) == "accepted")
    }

    @Test func `nothing is in force that the store did not take`() async throws {
        let world = try World()
        world.store.fails.store(true, ordering: .relaxed)
        await #expect(throws: LocalAAAError.self) { try await world.registry.add("a", plan("gold")) }
        #expect(await world.registry.authenticator.answer(request("a")) == nil)
        world.store.fails.store(false, ordering: .relaxed)
        _ = try await world.registry.add("a", plan("gold"))
        world.store.fails.store(true, ordering: .relaxed)
        await #expect(throws: LocalAAAError.self) { try await world.registry.remove("a") }
        #expect(await world.names() == ["a"] && world.changes.all == ["a"])
    }

    @Test func `a password becomes a record that proves it`() async throws {
        let world = try World()
        var change = LocalSubscriberChange()
        change.password = .set(try await world.registry.record(of: Array("p".utf8), name: "a", sealed: false))
        _ = try await world.registry.add("a", change)
        let answer = await world.registry.authenticator.answer(request("a", .password(Array("p".utf8))))
        #expect(answer == .accept(ServiceGrant(source: .local, userName: "a")))
        for password in [[], [UInt8](repeating: 1, count: 129)] {
            await #expect(throws: LocalAAAError.self) {
                try await world.registry.record(of: password, name: "a", sealed: false)
            }
        }
        let keyless = await #expect(throws: LocalAAAError.self) {
            try await world.registry.record(of: [1], name: "a", sealed: true)
        }
        #expect(keyless?.description.contains("aaa.key-file") == true)
    }

    @Test func `subscribers whose plan has gone are named`() async throws {
        var subscriber = LocalSubscriber(name: "a", origin: .store)
        subscriber.plan = "silver"
        let world = try World([subscriber, LocalSubscriber(name: "b", origin: .store)])
        let found = await world.registry.unservable()
        #expect(found.map(\.name) == ["a"] && found.first?.problem == .unknownPlan("silver"))
    }
}
