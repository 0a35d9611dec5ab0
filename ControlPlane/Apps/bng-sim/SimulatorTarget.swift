// SPDX-License-Identifier: Apache-2.0
// Where the controller is, and how a lane gets there.

import NIOCore
import NIOPosix

/// `unix:PATH`.
struct SimulatorTarget: Sendable {
    let path: String

    init?(_ text: String) {
        guard text.hasPrefix("unix:/") else { return nil }
        self.path = String(text.dropFirst(5))
    }

    func connect(
        on loop: any EventLoop, _ prepare: @escaping @Sendable (any Channel) throws -> Void
    ) -> EventLoopFuture<any Channel> {
        ClientBootstrap(group: loop)
            .channelOption(.writeBufferWaterMark, value: .init(low: 1 << 20, high: 8 << 20))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try prepare(channel) }
            }
            .connect(unixDomainSocketPath: self.path)
    }
}
