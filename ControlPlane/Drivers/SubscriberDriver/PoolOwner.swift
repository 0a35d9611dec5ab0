// SPDX-License-Identifier: Apache-2.0
// The pools one event loop owns. Line shards ask by message; nobody else touches a pool.

import Addressing
import BNGCore
import NIOCore
import Subscribers

/// Owner of some pools, confined to its loop.
final class PoolOwner: @unchecked Sendable {
    // Confined to `loop`: every method below is called there (checked), hence @unchecked.
    let loop: any EventLoop
    private var pools: [String: AddressPool] = [:]

    init(loop: any EventLoop) {
        self.loop = loop
    }

    func add(_ policy: PoolPolicy) {
        self.loop.preconditionInEventLoop()
        self.pools[policy.name] = AddressPool(
            name: policy.name, vrf: policy.vrf, ranges: policy.ranges, statics: policy.statics,
            excluded: [policy.template.gateway, policy.serverIdentifier], allocation: policy.allocation,
            alarmPercent: policy.alarmPercent)
    }

    func take(
        _ pool: String, line: LineKey, session: SessionID, wish: IPv4Address?, exact: Bool, now: UTCTime
    ) -> Result<IPv4Address, DenialError> {
        self.loop.preconditionInEventLoop()
        guard exact, let wish else {
            return self.pools[pool]?.take(for: line, session: session, wish: wish, now: now)
                ?? .failure(.unknownPool)
        }
        return self.pools[pool]?.takeExactly(wish, for: line, session: session, now: now) ?? .failure(.unknownPool)
    }

    func giveBack(
        _ pool: String, _ address: IPv4Address, session: SessionID, line: LineKey, until: UTCTime, declined: Bool
    ) {
        self.loop.preconditionInEventLoop()
        if declined {
            self.pools[pool]?.decline(address, session: session, line: line, until: until)
        } else {
            self.pools[pool]?.release(address, session: session, line: line, until: until)
        }
    }

    /// False if another session holds the address already.
    func restore(_ record: SessionRecord) -> Bool {
        self.loop.preconditionInEventLoop()
        return self.pools[record.pool]?.restore(record.address, session: record.id, line: record.line) ?? true
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
        return self.pools.map { ($0.key, $0.value.usage) }
    }
}
