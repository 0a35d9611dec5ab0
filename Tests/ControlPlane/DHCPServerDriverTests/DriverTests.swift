// SPDX-License-Identifier: Apache-2.0
// The driver against scripted DHCPv4 servers on loopback.

import BNGCore
import DHCPv4
import Logging
import NIOCore
import NIOPosix
import Testing

@testable import DHCPServerDriver

@Suite struct DriverTests {
    @Test func `gets a lease, with what a relay adds, and gives it back`() async throws {
        try await withBed { bed in
            let server = bed.servers[0]
            server.answer { $0.granting("10.0.0.7") }
            var order = bed.order(1)
            (order.clientID, order.circuitID, order.remoteID) = (
                [1, 2, 3], Array("circuit".utf8), Array("remote".utf8)
            )
            order.wish = IPPrefix("10.0.0.9/32")
            let lease = try await bed.acquire(order)
            #expect(lease.resource == IPPrefix("10.0.0.7/32"))
            #expect(lease.dns == [IPAddress("192.0.2.53")])
            bed.driver.release(lease.resource, session: order.key.session, group: "g", declined: false)
            let messages = try await server.messages(3)
            #expect(messages.map(\.type) == [.discover, .request, .release])
            #expect(Set(messages.map(\.xid)).count == 2, "an acquisition has one transaction")
            for message in messages {
                #expect(message.relayAddress == IPv4Address("127.0.0.1") && message.clientMAC == order.mac)
                #expect(message.options[61].map(Array.init) == [1, 2, 3])
                let value = Array(try #require(message.options[82]))
                let relay = try RelayAgentInformation(decoding: value.span)
                #expect(relay.circuitID == order.circuitID && relay.remoteID == order.remoteID)
                #expect(relay.linkSelection == IPv4Address("10.0.0.1"))
            }
            #expect(messages[0].address(50) == IPv4Address("10.0.0.9"))
            #expect(messages[1].address(50) == IPv4Address("10.0.0.7") && messages[1].address(54) == Reply.identifier)
            #expect(messages[2].clientAddress == IPv4Address("10.0.0.7") && messages[2].address(54) == Reply.identifier)
            let status = try #require(await bed.driver.status().first)
            #expect(status.counters == [.acquired: 1, .released: 1] && status.held == 0 && status.outstanding == 0)
        }
    }

    @Test func `a release of something else than what is held changes nothing`() async throws {
        try await withBed { bed in
            bed.servers[0].answer { $0.granting("10.0.0.7") }
            let order = bed.order(1)
            let lease = try await bed.acquire(order)
            let other = try #require(IPPrefix("10.0.0.8/32"))
            bed.driver.release(other, session: order.key.session, group: "g", declined: false)
            bed.driver.release(lease.resource, session: 99, group: "g", declined: false)
            #expect(await bed.driver.status().first?.held == 1)
        }
    }

    @Test func `what is not an answer is counted and ignored`() async throws {
        try await withBed { bed in
            let server = bed.servers[0]
            server.answer { request in
                var wrongTransaction = request.offering("10.0.0.66")
                wrongTransaction.xid &+= 1
                var wrongClient = request.offering("10.0.0.67")
                wrongClient.clientMAC = MACAddress("02:00:00:00:99:99") ?? .zero
                var request1 = request
                request1.op = .request
                let junk: [[UInt8]] = [
                    [], [2], DHCPv4Codec.encode(wrongTransaction), DHCPv4Codec.encode(wrongClient),
                    DHCPv4Codec.encode(request1), [UInt8](repeating: 2, count: 3_000),
                    DHCPv4Codec.encode(request.offering("0.0.0.0")), DHCPv4Codec.encode(request.offering("127.0.0.1")),
                ]
                return junk + request.granting("10.0.0.7").suffix(1)
            }
            try await bed.sendFromStranger()
            let lease = try await bed.acquire(bed.order(1))
            #expect(lease.resource == IPPrefix("10.0.0.7/32"))
            let counters = try #require(await bed.driver.status().first).counters
            #expect(counters[.malformed] == 8 && counters[.unexpected] == 8 && counters[.stranger] == 1)
        }
    }

    @Test func `a silent server is passed over for the next, and found again`() async throws {
        try await withBed(servers: 2, timeoutMs: 700) { bed in
            bed.servers[1].answer { $0.granting("10.0.0.\($0.clientMAC.bytes[5])") }
            // Three unanswered over three seconds.
            for number in 1...6 as ClosedRange<UInt8> { _ = try await bed.acquire(bed.order(number)) }
            var status = try #require(await bed.driver.status().first)
            #expect(status.servers.map(\.isAlive) == [false, true] && status.servers[0].silences == 1)
            let clock = ContinuousClock()
            let start = clock.now
            _ = try await bed.acquire(bed.order(16))
            #expect(start.duration(to: clock.now) < .milliseconds(600), "the silent one was asked first")
            bed.servers[0].answer { $0.granting("10.0.0.\($0.clientMAC.bytes[5])") }
            bed.servers[1].answer { _ in [] }
            _ = try await bed.acquire(bed.order(7))
            status = try #require(await bed.driver.status().first)
            #expect(status.servers[0].isAlive && status.failures.isEmpty)
        }
    }

    @Test func `nobody answers`() async throws {
        try await withBed(timeoutMs: 100) { bed in
            await #expect(throws: AcquireFailure.silent) { try await bed.acquire(bed.order(1)) }
            let status = try #require(await bed.driver.status().first)
            #expect(status.failures == [.silent: 1] && status.outstanding == 0 && status.servers[0].sent == 3)
        }
    }

    @Test func `a NAK and a short lease are failures`() async throws {
        try await withBed { bed in
            bed.servers[0].answer { $0.type == .discover ? $0.granting("10.0.0.7") : [DHCPv4Codec.encode($0.nak())] }
            await #expect(throws: AcquireFailure.refused) { try await bed.acquire(bed.order(1)) }
            bed.servers[0].answer { $0.granting("10.0.0.7", lifetime: 119) }
            await #expect(throws: AcquireFailure.leaseTooShort) { try await bed.acquire(bed.order(1)) }
            let seen = try await bed.servers[0].messages(5)
            #expect(seen.last?.type == .release)
        }
    }

    @Test func `a restart takes leases up: the server is asked to extend, and a NAK loses them`() async throws {
        try await withBed { bed in
            bed.servers[0].answer {
                $0.clientAddress == IPv4Address("10.0.0.7")
                    ? $0.granting("10.0.0.7") : [DHCPv4Codec.encode($0.nak())]
            }
            for number in [7, 8] as [UInt8] {
                let held = try #require(IPPrefix("10.0.0.\(number)/32"))
                bed.driver.resume(bed.order(number), held, until: .now + .seconds(60))
            }
            let lost = try await bed.lost()
            #expect(lost == bed.order(8).key)
            let status = try #require(await bed.driver.status().first)
            #expect(status.counters == [.resumed: 2, .renewed: 1, .lostRefused: 1] && status.held == 1)
            for message in try await bed.servers[0].messages(2) {
                #expect(message.type == .request && message.options[50] == nil && message.options[54] == nil)
            }
        }
    }

    @Test func `two sessions of one client do not share a lease: the second waits for the first to be given back`()
        async throws
    {
        try await withBed { bed in
            bed.servers[0].answer { $0.granting("10.0.0.7") }
            let first = bed.order(1)
            let lease = try await bed.acquire(first)
            var second = bed.order(1)
            second.key.session = 99
            async let waiting = bed.acquire(second)
            // A third finds somebody waiting already.
            var third = second
            third.key.session = 100
            try await bed.untilWaiting()
            await #expect(throws: AcquireFailure.identityInUse) { try await bed.acquire(third) }
            bed.driver.release(lease.resource, session: first.key.session, group: "g", declined: false)
            let next = try await waiting
            #expect(next.resource == lease.resource)
            third.key.session = 101
            await #expect(throws: AcquireFailure.identityInUse) { try await bed.acquire(third) }
        }
    }

    @Test func `no more exchanges than configured are under way`() async throws {
        try await withBed(outstanding: 4) { bed in
            let server = bed.servers[0]
            server.answer { $0.granting("10.0.0.\($0.clientMAC.bytes[5])") }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 1...60 as ClosedRange<UInt8> {
                    group.addTask { _ = try await bed.acquire(bed.order(number)) }
                }
                for _ in 0..<20 {
                    #expect(await bed.driver.status().first?.outstanding ?? 99 <= 4)
                }
                try await group.waitForAll()
            }
            #expect(await bed.driver.status().first?.held == 60)
        }
    }

    @Test func `an unknown group, and a driver that has stopped, give nothing`() async throws {
        try await withBed { bed in
            var order = bed.order(1)
            order.group = "other"
            await #expect(throws: AcquireFailure.unavailable) { try await bed.acquire(order) }
            await bed.driver.stop()
            await #expect(throws: AcquireFailure.unavailable) { try await bed.acquire(bed.order(1)) }
        }
    }

    @Test func `an address that is not ours is said at start`() async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let group = DHCPServerGroup(
            name: "g", family: .ipv4, servers: [try SocketAddress(ipAddress: "127.0.0.1", port: 67)],
            local: try SocketAddress(ipAddress: "192.0.2.77", port: 0))
        let driver = DHCPServerDriver(groups: [group], loop: loop, logger: Logger(label: "test"))
        let error = await #expect(throws: DHCPServerError.self) { try await driver.start { _, _ in } }
        #expect(error?.description.contains("192.0.2.77") == true)
    }
}
