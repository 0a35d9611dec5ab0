// SPDX-License-Identifier: Apache-2.0
// The pools one event loop owns. Line shards ask by message; nobody else touches a pool.

import Addressing
import BNGCore
import NIOCore
import Subscribers

/// A session wants an address of one pool.
struct AddressRequest: Sendable {
    var pool: String
    var line: LineKey
    var session: SessionID
    /// The user name, for pools whose addresses go by it.
    var subscriber: String
    /// AAA's choice.
    var granted: IPv4Address?
    var wish: IPv4Address?
    /// Only the wish will do.
    var exact: Bool
    var now: UTCTime
}

/// Owner of some pools, confined to its loop.
final class PoolOwner: @unchecked Sendable {
    // Confined to `loop`: every method below is called there (checked), hence @unchecked.
    let loop: any EventLoop
    private var pools: [String: AddressPool] = [:]
    var prefixPools: [String: PrefixPool] = [:]
    var natPools: [String: PortBlockPool] = [:]

    init(loop: any EventLoop) {
        self.loop = loop
    }

    func add(_ policy: PoolPolicy) {
        self.loop.preconditionInEventLoop()
        self.pools[policy.name] = AddressPool(
            name: policy.name, vrf: policy.vrf, ranges: policy.ranges, statics: policy.statics,
            excluded: [policy.template.gateway, policy.serverIdentifier], allocation: policy.allocation,
            alarmPercent: policy.alarmPercent, remembers: policy.external == nil)
    }

    func take(_ request: AddressRequest) -> Result<IPv4Address, DenialError> {
        self.loop.preconditionInEventLoop()
        return self.pools[request.pool]?.take(request) ?? .failure(.unknownPool)
    }

    /// Of the address that is wished for.
    func holder(of request: AddressRequest) -> SessionID? {
        self.loop.preconditionInEventLoop()
        return request.wish.flatMap { self.pools[request.pool]?.holder(of: $0) }
    }

    func giveBack(
        _ pool: String, _ address: IPv4Address, session: SessionID, line: LineKey, until: UTCTime, declined: Bool
    ) {
        self.loop.preconditionInEventLoop()
        if declined {
            self.pools[pool]?.decline(address, session: session, line: line.withoutPPPoE, until: until)
        } else {
            self.pools[pool]?.release(address, session: session, line: line.withoutPPPoE, until: until)
        }
    }

    /// False if another session holds the address already.
    func restore(_ record: SessionRecord) -> Bool {
        self.loop.preconditionInEventLoop()
        guard record.address != .zero else { return true }
        let line = record.line.withoutPPPoE
        return self.pools[record.pool]?.restore(record.address, session: record.id, line: line) ?? true
    }

    func restore(_ binding: StickyBinding) {
        self.loop.preconditionInEventLoop()
        self.pools[binding.pool]?.restore(
            StickyAddress(
                address: binding.address, line: binding.declined ? nil : binding.line,
                reservedUntil: binding.reservedUntil))
    }

    func usage() -> [(String, AddressPool.Usage)] {
        self.loop.preconditionInEventLoop()
        return self.pools.map { ($0.key, $0.value.usage) } + self.prefixPools.map { ($0.key, $0.value.usage) }
    }
}

extension AddressPool {
    /// AAA's choice, else the client's if only that will do, else one the pool chooses.
    fileprivate mutating func take(_ request: AddressRequest) -> Result<IPv4Address, DenialError> {
        // A line that dials again gets its address again, whatever its new session's id.
        let (line, session, now) = (request.line.withoutPPPoE, request.session, request.now)
        let insisted = request.exact ? request.wish : nil
        if let granted = request.granted {
            // AAA decides: a client that insists on another address is told that it is wrong.
            guard insisted == nil || insisted == granted else { return .failure(.outsidePool) }
            return self.takeGranted(granted, for: line, session: session, now: now)
        }
        if let insisted { return self.takeExactly(insisted, for: line, session: session, now: now) }
        return self.take(
            for: line, session: session, subscriber: request.subscriber, wish: request.wish, now: now)
    }
}
