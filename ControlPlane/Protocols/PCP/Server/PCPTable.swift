// SPDX-License-Identifier: Apache-2.0
// The mappings of one subscriber and what a request makes of them: pure, so that it can be decided when its turn has come.
//
// A mapping belongs to (protocol, internal address, internal port), as in the NAT itself; its external port is one of the ports the
// subscriber holds, the suggested one if that is free. Fixed mappings are the operator's: a client is told of them and cannot change
// them. One mapping has one nonce (RFC 6887 11.3, 17.1.1): who does not know it gets NOT_AUTHORIZED. NAT-PMP has no nonces; its
// mappings and PCP's leave each other alone.
//
// Supported standards: RFC 6887 (11.3, 11.4, 11.5, 13.2, 15), RFC 6886 (3.3, 3.4).

import BNGCore

/// One subscriber's mappings.
public struct PCPTable: Equatable, Sendable {
    public struct Mapping: Equatable, Sendable {
        public var transport: PCPTransport
        public var address: IPv4Address
        public var port: UInt16
        public var externalPort: UInt16
        /// nil: an operator's, without end.
        public var client: Client?

        public init(
            transport: PCPTransport, address: IPv4Address, port: UInt16, externalPort: UInt16, client: Client?
        ) {
            self.transport = transport
            self.address = address
            self.port = port
            self.externalPort = externalPort
            self.client = client
        }
    }

    public struct Client: Equatable, Sendable {
        /// Empty: by NAT-PMP.
        public var nonce: [UInt8]
        public var expires: UTCTime

        public init(nonce: [UInt8], expires: UTCTime) {
            self.nonce = nonce
            self.expires = expires
        }
    }

    public var address: IPv4Address
    /// External ports that are the subscriber's.
    public var ports: [ClosedRange<UInt16>]
    /// Mappings at most, the operator's among them.
    public var limit: Int
    /// Seconds (RFC 6887 15).
    public var lifetimes: ClosedRange<UInt32>
    public var mappings: [Mapping]

    public init(
        address: IPv4Address, ports: [ClosedRange<UInt16>], limit: Int, lifetimes: ClosedRange<UInt32>,
        mappings: [Mapping]
    ) {
        self.address = address
        self.ports = ports
        self.limit = limit
        self.lifetimes = lifetimes
        self.mappings = mappings
    }

    /// Carries a request of the host `source` out.
    public mutating func take(
        _ request: PCPMapRequest, from source: IPv4Address, at now: UTCTime
    ) -> Result<PCPGranted, PCPRefusal> {
        request.isDeletion ? self.delete(request, source) : self.map(request, source, now)
    }

    /// True if one was too old.
    public mutating func expire(at now: UTCTime) -> Bool {
        let before = self.mappings.count
        self.mappings.removeAll { $0.client.map { $0.expires <= now } ?? false }
        return self.mappings.count < before
    }

    private mutating func map(
        _ request: PCPMapRequest, _ source: IPv4Address, _ now: UTCTime
    ) -> Result<PCPGranted, PCPRefusal> {
        guard let transport = request.transport else { return .failure(PCPRefusal(.unsupportedProtocol)) }
        let lifetime = min(max(request.lifetime, self.lifetimes.lowerBound), self.lifetimes.upperBound)
        let client = Client(nonce: request.nonce, expires: now + Seconds(lifetime))
        let known = self.mappings.firstIndex {
            $0.transport == transport && $0.address == source && $0.port == request.internalPort
        }
        if let known {
            let mapping = self.mappings[known]
            if let holder = mapping.client, holder.nonce != request.nonce {
                return .failure(PCPRefusal(.notAuthorized))
            }
            if request.prefersFailure, !self.isSuggested(mapping.externalPort, request) {
                return .failure(PCPRefusal(.cannotProvideExternal))
            }
            if mapping.client != nil { self.mappings[known].client = client }
            return .success(PCPGranted(port: mapping.externalPort, address: self.address, lifetime: lifetime))
        }
        guard self.mappings.count < self.limit else { return .failure(PCPRefusal(.quotaExceeded)) }
        if request.prefersFailure {
            guard self.isSuggested(request.suggestedPort, request), self.isFree(request.suggestedPort, transport) else {
                return .failure(PCPRefusal(.cannotProvideExternal))
            }
        }
        guard let port = self.freePort(near: request.suggestedPort, transport) else {
            return .failure(PCPRefusal(.noResources))
        }
        self.mappings.append(
            Mapping(
                transport: transport, address: source, port: request.internalPort, externalPort: port, client: client))
        return .success(PCPGranted(port: port, address: self.address, lifetime: lifetime))
    }

    private func isSuggested(_ port: UInt16, _ request: PCPMapRequest) -> Bool {
        port == request.suggestedPort
            && (request.suggestedAddress == .zero || request.suggestedAddress == self.address)
    }

    /// RFC 6887 15: what is not there is deleted already.
    private mutating func delete(_ request: PCPMapRequest, _ source: IPv4Address) -> Result<PCPGranted, PCPRefusal> {
        let meant = { (mapping: Mapping) in
            mapping.address == source && (request.transport == nil || mapping.transport == request.transport)
                && (request.internalPort == 0 || mapping.port == request.internalPort)
        }
        let isSingle = request.internalPort != 0
        if isSingle, self.mappings.contains(where: { meant($0) && $0.client?.nonce != request.nonce }) {
            return .failure(PCPRefusal(.notAuthorized))
        }
        self.mappings.removeAll { meant($0) && $0.client?.nonce == request.nonce }
        return .success(
            PCPGranted(port: request.nonce.isEmpty ? 0 : request.suggestedPort, address: self.address, lifetime: 0))
    }

    /// Whether a port is the subscriber's and leads nowhere.
    public func isFree(_ port: UInt16, _ transport: PCPTransport) -> Bool {
        self.ports.contains { $0.contains(port) }
            && !self.mappings.contains { $0.transport == transport && $0.externalPort == port }
    }

    /// This one if it is free, else the last free one of the subscriber's.
    public func freePort(near suggested: UInt16, _ transport: PCPTransport) -> UInt16? {
        if self.isFree(suggested, transport) { return suggested }
        for range in self.ports {
            if let port = range.reversed().first(where: { self.isFree($0, transport) }) { return port }
        }
        return nil
    }
}

/// Why a mapping is not made.
public struct PCPRefusal: Error, Equatable, Sendable {
    public var result: PCPResult

    public init(_ result: PCPResult) { self.result = result }
}
