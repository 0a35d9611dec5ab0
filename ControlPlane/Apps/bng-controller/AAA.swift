// SPDX-License-Identifier: Apache-2.0
// AAA as a whole: the chain of sources that decide, the way of accounting records, their start and end.

import AccountingDriver
import AdminContract
import BNGConfiguration
import BNGCore
import Logging
import NIOCore
import NIOPosix
import Store
import SubscriberDriver
import Subscribers

/// The AAA side of a controller.
final class AAA: Sendable {
    let policy: AAAPolicy
    let spool: AccountingSpool?
    private let configuration: ControllerConfiguration
    private let store: Store

    init(_ configuration: ControllerConfiguration, store: Store, loop: any EventLoop, logger: Logger) throws {
        self.configuration = configuration
        self.store = store
        self.spool = nil
        self.policy = configuration.aaaPolicy(
            authority: nil, accounting: nil, firstSequence: try store.nextAccountingSequence(), logger: logger)
    }

    func view() async throws -> AAAView {
        AAAView(chain: self.configuration.aaa.chain.map(\.rawValue), servers: [], spool: nil, dynamicAuthorization: [:])
    }
}
