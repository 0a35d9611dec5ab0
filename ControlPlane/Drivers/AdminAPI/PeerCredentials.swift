// SPDX-License-Identifier: Apache-2.0
// Who may use the operator socket: the kernel says which user is at the other end (SO_PEERCRED), whatever the file's mode is.

import Foundation
import Logging
import NIOCore

/// Users admitted to the socket.
public struct AdmittedUsers: Sendable, Equatable {
    public var userIDs: Set<UInt32>
    /// nil: no group.
    public var groupID: UInt32?

    public init(userIDs: Set<UInt32>, groupID: UInt32? = nil) {
        self.userIDs = userIDs
        self.groupID = groupID
    }

    func admits(user: UInt32, group: UInt32) -> Bool {
        if self.userIDs.contains(user) { return true }
        guard let groupID = self.groupID else { return false }
        return group == groupID || Self.groups(ofUser: user, group: group).contains(groupID)
    }

    /// Supplementary groups as the system's databases have them.
    private static func groups(ofUser user: UInt32, group: UInt32) -> [UInt32] {
        guard let entry = getpwuid(user) else { return [] }
        var count: Int32 = 256
        var groups = [gid_t](repeating: 0, count: Int(count))
        guard getgrouplist(entry.pointee.pw_name, group, &groups, &count) >= 0 else { return [] }
        return Array(groups.prefix(Int(count)))
    }
}

/// `struct ucred` of unix(7), which glibc shows to GNU sources only.
struct UnixCredentials: Sendable {
    var pid: Int32 = 0
    var uid: UInt32 = 0
    var gid: UInt32 = 0
}

/// Lets requests through only if the peer is admitted.
final class PeerCredentialHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = NIOAny

    private let admitted: AdmittedUsers
    private let logger: Logger
    private var isAdmitted = false

    init(admitted: AdmittedUsers, logger: Logger) {
        self.admitted = admitted
        self.logger = logger
    }

    func handlerAdded(context: ChannelHandlerContext) {
        guard let provider = context.channel as? any SocketOptionProvider else { return context.close(promise: nil) }
        let credentials: EventLoopFuture<UnixCredentials> = provider.unsafeGetSocketOption(
            level: .init(rawValue: SOL_SOCKET), name: .init(rawValue: SO_PEERCRED))
        credentials.assumeIsolated().whenComplete { result in
            if case .success(let peer) = result, self.admitted.admits(user: peer.uid, group: peer.gid) {
                self.isAdmitted = true
            } else {
                self.logger.warning("operator socket refused", metadata: ["peer": "\(result)"])
                context.close(promise: nil)
            }
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if self.isAdmitted { context.fireChannelRead(data) }
    }
}
