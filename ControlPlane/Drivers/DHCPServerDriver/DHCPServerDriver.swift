// SPDX-License-Identifier: Apache-2.0
// The client of outside DHCP servers: everything of one controller, on one loop. Leases are asked for by key and held until they are
// released or lost.

import BNGCore
import LeaseClient
import Logging
import NIOCore

public final class DHCPServerDriver: @unchecked Sendable {
    // Everything but `loop` is touched there only, hence @unchecked.
    private let loop: any EventLoop
    private let logger: Logger
    private let settings: [DHCPServerGroup]
    private var groups: [String: [DHCPServerGroup.Family: LeaseGroup]] = [:]
    private var channels: [any Channel] = []

    public init(groups: [DHCPServerGroup], loop: any EventLoop, logger: Logger) {
        self.settings = groups
        self.loop = loop
        self.logger = logger
    }

    /// Opens the sockets.
    /// - Parameter lost: called for a lease that the server refused to extend, or that ended while no server answered.
    public func start(lost: @escaping @Sendable (LeaseKey, LeaseLoss) -> Void) async throws {
        for settings in self.settings {
            do {
                try await self.loop.flatSubmit { self.open(settings, lost) }.get()
            } catch {
                throw DHCPServerError(
                    description: "dhcp-servers: \(settings.name): cannot listen on \(settings.local.text): \(error)")
            }
        }
    }

    private func open(
        _ settings: DHCPServerGroup, _ lost: @escaping @Sendable (LeaseKey, LeaseLoss) -> Void
    ) -> EventLoopFuture<Void> {
        let group = LeaseGroup(
            settings, family: Self.family(settings), loop: self.loop, logger: self.logger, lost: lost)
        self.groups[settings.name, default: [:]][settings.family] = group
        group.start()
        return DHCPSocket.open(group, on: self.loop).assumeIsolated().map { self.channels.append($0) }.nonisolated()
    }

    private static func family(_ settings: DHCPServerGroup) -> any LeaseFamily {
        let relay = settings.local.ipAddress.flatMap { IPv4Address($0) }
        return settings.family == .ipv4 ? DHCPv4Family(relay: relay ?? .zero) : DHCPv6Family()
    }

    public func stop() async {
        let closed = self.loop.flatSubmit { () -> EventLoopFuture<Void> in
            for group in self.groups.values.flatMap(\.values) { group.stop() }
            return EventLoopFuture.andAllComplete(self.channels.map { $0.close() }, on: self.loop)
        }
        try? await closed.get()
    }

    // MARK: Leases

    /// `done` is called once, on the driver's loop.
    public func acquire(
        _ order: LeaseOrder, then done: @escaping @Sendable (Result<AcquiredLease, AcquireFailure>) -> Void
    ) {
        self.loop.execute {
            guard let group = self.group(order) else { return done(.failure(.unavailable)) }
            group.acquire(order, then: done)
        }
    }

    /// Takes up a lease of a life before this one: it is extended as soon as its turn comes, and held until `until` at least.
    public func resume(_ order: LeaseOrder, _ resource: IPPrefix, until: ContinuousClock.Instant) {
        self.loop.execute { self.group(order)?.resume(order, resource, until: until) }
    }

    /// Gives back what a session holds. Nothing happens if it does not hold that.
    /// - Parameter declined: some other host was found to use the address.
    public func release(_ resource: IPPrefix, session: UInt64, group: String, declined: Bool) {
        let family = resource.isIPv6 ? DHCPServerGroup.Family.ipv6 : .ipv4
        self.loop.execute { self.groups[group]?[family]?.release(resource, session: session, declined: declined) }
    }

    private func group(_ order: LeaseOrder) -> LeaseGroup? { self.groups[order.group]?[order.key.family] }

    // MARK: For operators

    public func status() async -> [DHCPGroupStatus] {
        let status = self.loop.submit {
            self.settings.compactMap { self.groups[$0.name]?[$0.family]?.status }
        }
        return (try? await status.get()) ?? []
    }
}

/// Why the driver could not start.
public struct DHCPServerError: Error, CustomStringConvertible {
    public var description: String
}

extension LeaseKey {
    var family: DHCPServerGroup.Family { self.kind == .ipv4 ? .ipv4 : .ipv6 }
}
