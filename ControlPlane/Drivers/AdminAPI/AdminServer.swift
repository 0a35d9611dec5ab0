// SPDX-License-Identifier: Apache-2.0
// The two servers of the operator API: JSON on a Unix socket for bngctl, metrics and health on TCP.

import Foundation
import Hummingbird
import Logging
import NIOCore

/// Makes the services; the app runs them.
public enum AdminServer {
    /// The operator API on a Unix socket of mode 0600, or 0660 if a group is admitted.
    public static func operatorSocket(
        path: String, admitted: AdmittedUsers, backend: any AdminBackend, loops: any EventLoopGroup, logger: Logger
    ) -> some ApplicationProtocol {
        Application(
            router: AdminRoutes.operators(backend),
            server: .http1(
                configuration: .init(
                    additionalChannelHandlers: [PeerCredentialHandler(admitted: admitted, logger: logger)],
                    idleTimeout: .seconds(60))),
            configuration: .init(address: .unixDomainSocket(path: path), serverName: "bng-controller"),
            onServerRunning: { _ in
                if let group = admitted.groupID { chown(path, uid_t.max, group) }
                chmod(path, admitted.groupID == nil ? 0o600 : 0o660)
            },
            eventLoopGroupProvider: .shared(loops), logger: logger)
    }

    /// `/metrics`, `/healthz` and `/readyz` on TCP.
    public static func monitoring(
        host: String, port: Int, backend: any AdminBackend, loops: any EventLoopGroup, logger: Logger
    ) -> some ApplicationProtocol {
        Application(
            router: AdminRoutes.monitoring(backend),
            server: .http1(configuration: .init(idleTimeout: .seconds(60))),
            configuration: .init(address: .hostname(host, port: port), serverName: "bng-controller"),
            eventLoopGroupProvider: .shared(loops), logger: logger)
    }
}
