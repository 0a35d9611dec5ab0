// SPDX-License-Identifier: Apache-2.0
// The controller's end of the contract: listens for agents, keeps every node equal to what is intended, carries packets both ways.
// All state lives on one event loop; calls from other threads are gathered and cost one wake-up however many they are.

import AgentContract
import BNGCore
import Fleet
import Foundation
import Logging
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// A server for agents. Every method may be called from any thread.
public final class AgentServer: Sendable {
    private let configuration: AgentServerConfiguration
    private let loop: any EventLoop
    private let core: NIOLoopBound<ServerCore>
    private let inbox = Mutex<[@Sendable (ServerCore) -> Void]>([])
    private let channels = Mutex<[any Channel]>([])
    private let logger: Logger

    /// - Parameters:
    ///   - loop: where all of it runs.
    ///   - memory: what the store remembers of the nodes.
    public init(
        configuration: AgentServerConfiguration, loop: any EventLoop, store: any AgentNodeStore,
        memory: [NodeName: NodeMemory], logger: Logger, now: @escaping @Sendable () -> UTCTime
    ) async throws {
        self.configuration = configuration
        self.loop = loop
        self.logger = logger
        self.core = try await loop.submit {
            NIOLoopBound(
                ServerCore(
                    configuration: configuration, loop: loop, store: store, memory: memory, logger: logger, now: now),
                eventLoop: loop)
        }.get()
    }

    // MARK: Life cycle

    /// Opens the listeners. Load sessions and set configurations before.
    public func start(delegate: any AgentServerDelegate) async throws {
        try await self.loop.submit {
            self.core.value.server = self
            self.core.value.delegate = delegate
            self.core.value.startTicking()
        }.get()
        for listener in self.configuration.listeners {
            let channel = try await self.listen(listener)
            self.channels.withLock { $0.append(channel) }
            self.logger.info(
                "listening for agents", metadata: ["address": "\(channel.localAddress?.description ?? "?")"])
        }
    }

    /// Addresses listened on, in the order of the configuration.
    public var localAddresses: [SocketAddress] { self.channels.withLock { $0.compactMap(\.localAddress) } }

    /// Closes listeners and lanes. Agents keep everything.
    public func stop() async {
        for channel in self.channels.withLock({ $0 }) { try? await channel.close() }
        try? await self.loop.submit {
            let core = self.core.value
            core.stopTicking()
            core.delegate = nil
            for node in core.nodes.values {
                if let association = node.association { node.end(association, "stopping") }
            }
        }.get()
    }

    private func listen(_ listener: AgentListener) async throws -> any Channel {
        let core = self.core
        switch listener {
        case .unix(let path):
            let channel = try await Self.bootstrap(self.loop) { channel in
                channel.eventLoop.makeCompletedFuture { try Self.addLane(channel, core.value, tls: nil) }
            }.bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true).get()
            // Who may open it may claim to be any node: the owner and its group.
            chmod(path, 0o660)
            return channel
        case .tls(let host, let port, let certificate, let key, let authority):
            var tls = TLSConfiguration.makeServerConfigurationWithMTLS(
                certificateChain: try NIOSSLCertificate.fromPEMFile(certificate).map { .certificate($0) },
                privateKey: .privateKey(try NIOSSLPrivateKey(file: key, format: .pem)), trustRoots: .file(authority))
            tls.minimumTLSVersion = .tlsv13
            // An agent has no address we could check: its certificate must name the node instead (LaneHandler).
            tls.certificateVerification = .noHostnameVerification
            let context = try NIOSSLContext(configuration: tls)
            let own = try NIOSSLCertificate.fromPEMFile(certificate).first?.toDERBytes() ?? []
            let judge = self.configuration.admitsUncertified ? try ChainJudge(authority: authority) : nil
            return try await Self.bootstrap(self.loop) { channel in
                channel.eventLoop.makeCompletedFuture {
                    let peer = PeerVerdict(judge: judge)
                    try channel.pipeline.syncOperations.addHandler(Self.tlsHandler(context, peer, channel))
                    try Self.addLane(channel, core.value, tls: .init(serverCertificate: own, peer: peer))
                }
            }.bind(host: host, port: port).get()
        }
    }

    /// With a judge everybody with a certificate is let in; what it is worth is asked when its first frame is there (an answer
    /// that comes later than the handshake's last bytes would leave the frame behind them unread).
    private static func tlsHandler(
        _ context: NIOSSLContext, _ peer: PeerVerdict, _ channel: any Channel
    ) -> NIOSSLServerHandler {
        guard peer.judge != nil else { return NIOSSLServerHandler(context: context) }
        let shown = NIOLoopBound(peer, eventLoop: channel.eventLoop)
        return NIOSSLServerHandler(
            context: context,
            customVerificationCallback: { chain, promise in
                shown.value.chain = chain.compactMap { try? $0.toDERBytes() }
                promise.succeed(.certificateVerified)
            })
    }

    private static func bootstrap(
        _ loop: any EventLoop, _ initializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>
    ) -> ServerBootstrap {
        ServerBootstrap(group: loop)
            .serverChannelOption(.backlog, value: 256)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.writeBufferWaterMark, value: .init(low: 1 << 20, high: 4 << 20))
            .childChannelOption(
                .recvAllocator,
                value: AdaptiveRecvByteBufferAllocator(minimum: 2_048, initial: 16_384, maximum: 262_144)
            )
            .childChannelInitializer(initializer)
    }

    private static func addLane(_ channel: any Channel, _ core: ServerCore, tls: LaneHandler.Transport?) throws {
        let decoder = ByteToMessageHandler(
            FrameDecoder(), maximumBufferSize: Wire.frameLimit + Wire.lengthBytes + 262_144)
        try channel.pipeline.syncOperations.addHandlers([decoder, LaneHandler(core: core, tls: tls)])
    }

    // MARK: Work

    /// Runs `work` on the loop, in order with everything submitted before.
    private func submit(_ work: @escaping @Sendable (ServerCore) -> Void) {
        let wasEmpty = self.inbox.withLock { inbox in
            inbox.append(work)
            return inbox.count == 1
        }
        guard wasEmpty else { return }
        self.loop.execute {
            let core = self.core.value
            let work = self.inbox.withLock { inbox in
                let work = inbox
                inbox = []
                return work
            }
            for item in work { item(core) }
        }
    }

    /// Makes these the configured objects of a node. Equal content keeps its generation, also after a restart. `done` is called,
    /// on any thread, when they are intended: a session given afterwards is sent after them.
    public func setConfiguration(
        node: NodeName, objects: [NamedObject], then done: @escaping @Sendable () -> Void = {}
    ) {
        self.submit { core in
            guard let link = core.nodes[node] else { return done() }
            link.configure(objects, then: done)
        }
    }

    /// Takes stored sessions over without sending anything; to be called before `start`.
    public func load(node: NodeName, sessions: [(id: SessionID, generation: Generation, session: InstalledSession)]) {
        self.submit { core in
            guard let link = core.nodes[node] else { return }
            for (id, generation, session) in sessions {
                link.intended.load(
                    DesiredObject(id: id.rawValue, generation: generation, body: .session(session)))
            }
        }
    }

    /// Wants the node to hold this session. `then` runs on `loop` when the node holds it, at the generation given, or has refused
    /// it; while the node is away nothing is called.
    /// - Parameter least: lowest generation the session may have; it is higher if the node has been found to hold a higher one.
    public func upsert(
        node: NodeName, session: InstalledSession, id: SessionID, least: Generation = 1, on loop: any EventLoop,
        then: @escaping @Sendable (Result<Generation, AgentError>) -> Void
    ) {
        self.submit { core in
            guard let link = core.nodes[node] else { return loop.execute { then(.failure(.unknownNode)) } }
            link.upsert(
                .session(session), id: id.rawValue, least: least,
                waiter: .init(generation: 0, loop: loop, answer: .upserted(then)))
        }
    }

    /// Wants the node not to hold this session any more. `then` runs on `loop` once the node has confirmed, however long it is
    /// away; call `acknowledgeFinal` when the counters are durable. Works for sessions this process never installed, too.
    public func delete(
        node: NodeName, id: SessionID, on loop: any EventLoop,
        then: @escaping @Sendable (Result<DeleteOutcome, AgentError>) -> Void
    ) {
        self.submit { core in
            guard let link = core.nodes[node] else { return loop.execute { then(.failure(.unknownNode)) } }
            link.delete(
                ObjectKey(.session, id.rawValue), generation: .any,
                waiter: .init(generation: 0, loop: loop, answer: .deleted(then)))
        }
    }

    /// The session's final counters are durable here: the agent may forget them.
    public func acknowledgeFinal(node: NodeName, id: SessionID) {
        self.submit { core in core.nodes[node]?.acknowledgeFinal(id.rawValue) }
    }

    /// Sends an Ethernet frame out of a port; unless the node holds `requires`, the agent drops it and counts that.
    public func inject(
        node: NodeName, frame: [UInt8], port: String, requires: (session: SessionID, generation: Generation)? = nil
    ) {
        self.submit { core in core.nodes[node]?.inject(frame, port: port, requires: requires) }
    }

    /// Punted packets have been dealt with: their credits may be granted again.
    public func processed(node: NodeName, _ puntClass: PuntClass, count: Int) {
        self.submit { core in core.nodes[node]?.processed(puntClass, count) }
    }

    // MARK: Operators

    public func status() async -> [NodeSnapshot] {
        await withCheckedContinuation { continuation in
            self.submit { core in
                continuation.resume(returning: core.nodes.values.map { $0.makeSnapshot() }.sorted { $0.name < $1.name })
            }
        }
    }

    /// Connections refused or closed with an error, by its name.
    public func refusedConnections() async -> [String: UInt64] {
        await withCheckedContinuation { continuation in
            self.submit { core in continuation.resume(returning: core.refusedConnections) }
        }
    }

    /// Live counters of at most 4,096 sessions of one node, those it does not hold left out. `then` runs on `loop`.
    public func sessionCounters(
        node: NodeName, ids: [SessionID], on loop: any EventLoop,
        then: @escaping @Sendable (Result<[SessionCounterValues], AgentError>) -> Void
    ) {
        self.submit { core in
            guard let link = core.nodes[node] else { return loop.execute { then(.failure(.unknownNode)) } }
            link.requestCounters(ids, on: loop, then: then)
        }
    }

    /// Live counters of sessions of one node.
    public func sessionCounters(node: NodeName, ids: [SessionID]) async throws(AgentError) -> [SessionCounterValues] {
        let loop = self.loop
        let result: Result<[SessionCounterValues], AgentError> = await withCheckedContinuation { continuation in
            self.sessionCounters(node: node, ids: ids, on: loop) { continuation.resume(returning: $0) }
        }
        return try result.get()
    }

    /// Ends a node's association: it may come back when it can prove itself again.
    public func dismiss(node: NodeName, _ error: ContractError) async {
        await withCheckedContinuation { continuation in
            self.submit { core in
                if let link = core.nodes[node], let association = link.association {
                    link.endUnproven(association, error)
                }
                continuation.resume()
            }
        }
    }

    /// Begins an audit of every connected node.
    public func audit() {
        self.submit { core in
            for link in core.nodes.values where link.association?.phase == .open {
                link.audit.due = true
                core.needsFlush(link)
            }
        }
    }

    /// Deletes the sessions a node holds that nobody here knows. Returns how many.
    public func clearQuarantine(node: NodeName) async throws(AgentError) -> Int {
        let count: Int? = await withCheckedContinuation { continuation in
            self.submit { core in continuation.resume(returning: core.nodes[node]?.clearQuarantine()) }
        }
        guard let count else { throw .unknownNode }
        return count
    }
}
