// SPDX-License-Identifier: Apache-2.0
// AAA as a whole: the chain of sources that decide, the way of accounting records, their start and end.

import AccountingDriver
import AdminContract
import BNGConfiguration
import BNGCore
import LocalAAA
import Logging
import NIOCore
import NIOPosix
import Store
import SubscriberDriver
import Subscribers
import Synchronization

/// The AAA side of a controller.
final class AAA: Sendable {
    let policy: AAAPolicy
    let subscribers: SubscriberRegistry
    let spool: AccountingSpool?
    private let configuration: ControllerConfiguration
    private let store: Store
    /// Set when the plane exists; before that there is no session to change.
    private let plane = PlaneReference()

    init(
        _ configuration: ControllerConfiguration, stored: [LocalSubscriber], store: Store, loop: any EventLoop,
        logger: Logger
    ) throws {
        self.configuration = configuration
        self.store = store
        let plane = self.plane
        let subscribers = try configuration.subscriberRegistry(
            stored: stored, store: store, logger: Logger(label: "subscribers")
        ) { plane.get()?.reauthenticate(user: $0) }
        self.subscribers = subscribers
        self.spool = nil
        let sources = configuration.aaa.chain.compactMap { source -> AuthorizationSource? in
            switch source {
            case .local: return subscribers.source
            case .radius: return nil
            }
        }
        self.policy = configuration.aaaPolicy(
            authority: sources.isEmpty ? nil : AuthorityChain(sources: sources), accounting: nil,
            firstSequence: try store.nextAccountingSequence(), logger: logger)
    }

    func serve(_ plane: SubscriberPlane) { self.plane.set(plane) }

    func stop() async {
        try? await self.subscribers.authenticator.shutDown()
    }

    func view() async throws -> AAAView {
        AAAView(chain: self.configuration.aaa.chain.map(\.rawValue), servers: [], spool: nil, dynamicAuthorization: [:])
    }
}

/// The plane, once there is one.
final class PlaneReference: Sendable {
    private let plane = Mutex<SubscriberPlane?>(nil)

    func get() -> SubscriberPlane? { self.plane.withLock { $0 } }
    func set(_ plane: SubscriberPlane) { self.plane.withLock { $0 = plane } }
}
