// SPDX-License-Identifier: Apache-2.0
// NAT to the wire and back (docs/contract.md section 7).

import AgentProto
import BNGCore
import Fleet
import Foundation

extension Wire.NATPolicy {
    init(_ policy: NATPolicy) {
        self.init()
        switch policy.filtering {
        case .endpointIndependent: self.filtering = .endpointIndependent
        case .addressDependent: self.filtering = .addressDependent
        }
        self.tcpEstablishedSeconds = policy.tcpEstablished.value
        self.tcpTransitorySeconds = policy.tcpTransitory.value
        self.udpSeconds = policy.udp.value
        self.icmpSeconds = policy.icmp.value
        self.flowsPerSession = policy.flowsPerSession
        self.inboundRefresh = policy.inboundRefresh
        self.portParity = policy.portParity
        self.algs = policy.algs.sorted().map { alg in
            switch alg {
            case .ftp: .ftp
            }
        }
        self.pcp = policy.pcp
    }
}

extension Wire.SessionNAT {
    init(_ nat: NATAttachment) {
        self.init()
        self.policyID = nat.policyID
        self.address = Data(nat.address.bytes)
        self.oneToOne = nat.isOneToOne
        self.blockPorts = UInt32(nat.blockPorts)
        self.blockFirstPorts = nat.firstPorts.map(UInt32.init)
        self.forwards = nat.forwards.map { forward in
            .with {
                $0.`protocol` = UInt32(forward.transport.rawValue)
                $0.outsidePort = UInt32(forward.outsidePort)
                $0.insideAddress = Data(forward.inside.bytes)
                $0.insidePort = UInt32(forward.insidePort)
            }
        }
    }
}

extension NATPolicy {
    init(_ policy: Wire.NATPolicy) throws(ContractError) {
        self.init()
        switch policy.filtering {
        case .endpointIndependent: self.filtering = .endpointIndependent
        case .addressDependent: self.filtering = .addressDependent
        case .unspecified: throw invalid("no filtering", "20.1")
        case .UNRECOGNIZED: throw unsupported("20.1")
        }
        self.tcpEstablished = try seconds(policy.tcpEstablishedSeconds, Self.establishedLimits, "20.2")
        self.tcpTransitory = try seconds(policy.tcpTransitorySeconds, Self.transitoryLimits, "20.3")
        self.udp = try seconds(policy.udpSeconds, Self.idleLimits, "20.4")
        self.icmp = try seconds(policy.icmpSeconds, Self.idleLimits, "20.5")
        guard Self.flowLimits.contains(policy.flowsPerSession) else {
            throw invalid("flows_per_session is \(Self.flowLimits)", "20.6")
        }
        self.flowsPerSession = policy.flowsPerSession
        self.inboundRefresh = policy.inboundRefresh
        self.portParity = policy.portParity
        for alg in policy.algs {
            let known: NATALG
            switch alg {
            case .ftp: known = .ftp
            case .unspecified: throw invalid("an ALG is unspecified", "20.21")
            case .UNRECOGNIZED: throw unsupported("20.21")
            }
            if let last = self.algs.max(), last >= known { throw invalid("algs are not in ascending order", "20.21") }
            self.algs.insert(known)
        }
        self.pcp = policy.pcp
    }
}

private func seconds(_ value: UInt32, _ limits: ClosedRange<Seconds>, _ path: String) throws(ContractError) -> Seconds {
    guard limits.contains(Seconds(value)) else {
        throw invalid("\(limits.lowerBound.value)-\(limits.upperBound.value) seconds", path)
    }
    return Seconds(value)
}

extension NATAttachment {
    /// `ipv4` is the message it stands in, already checked.
    init(_ nat: Wire.SessionNAT, with ipv4: Wire.SessionIPv4) throws(ContractError) {
        let address = try unicast(nat.address, "17.4.8.2")
        if nat.oneToOne {
            guard nat.policyID == 0, nat.blockPorts == 0, nat.blockFirstPorts.isEmpty, nat.forwards.isEmpty else {
                throw invalid("one to one has no policy, blocks or forwards", "17.4.8.3")
            }
            self.init(oneToOne: address)
            return
        }
        guard nat.policyID != 0 else { throw invalid("no policy", "17.4.8.1") }
        guard let size = UInt16(exactly: nat.blockPorts), Self.blockSizes.contains(size), size & (size - 1) == 0 else {
            throw invalid("block_ports is a power of two, 64-16384", "17.4.8.4")
        }
        guard (1...Self.blockLimit).contains(nat.blockFirstPorts.count) else {
            throw invalid("1-\(Self.blockLimit) blocks", "17.4.8.5")
        }
        self.init(policyID: nat.policyID, address: address, blockPorts: size, firstPorts: [])
        for first in nat.blockFirstPorts { try self.add(first) }
        guard nat.forwards.count <= Self.forwardLimit else {
            throw invalid("at most \(Self.forwardLimit) forwards", "17.4.8.6")
        }
        for forward in nat.forwards { try self.add(forward, ipv4) }
    }

    private mutating func add(_ first: UInt32) throws(ContractError) {
        guard let port = UInt16(exactly: first), port >= Self.firstBlockPort, port % Self.blockSizes.lowerBound == 0,
            Int(port) + Int(self.blockPorts) <= 65_536
        else { throw invalid("a block begins with a multiple of 64 from 1024 on and ends by 65535", "17.4.8.5") }
        let block = port...(port + (self.blockPorts - 1))
        guard !self.blocks.contains(where: { $0.overlaps(block) }) else {
            throw invalid("blocks overlap", "17.4.8.5")
        }
        self.firstPorts.append(port)
    }

    private mutating func add(_ wire: Wire.NATForward, _ ipv4: Wire.SessionIPv4) throws(ContractError) {
        guard let transport = UInt8(exactly: wire.`protocol`).flatMap(NATForward.Transport.init(rawValue:)) else {
            throw invalid("protocol is 6 or 17", "17.4.8.6.1")
        }
        guard let outside = UInt16(exactly: wire.outsidePort), outside > 0,
            outside < Self.firstBlockPort || self.blocks.contains(where: { $0.contains(outside) })
        else { throw invalid("outside_port is 1-1023, or in a block of the session", "17.4.8.6.2") }
        guard let inside = IPv4Address(wire.insideAddress), Self.isBehind(ipv4, inside) else {
            throw invalid("inside_address is the session's, or behind a framed route of it", "17.4.8.6.3")
        }
        guard let port = UInt16(exactly: wire.insidePort), port > 0 else {
            throw invalid("inside_port is 1-65535", "17.4.8.6.4")
        }
        let sharesPort = self.forwards.contains {
            $0.transport == transport && ($0.outsidePort == outside || ($0.inside == inside && $0.insidePort == port))
        }
        guard !sharesPort else { throw invalid("two forwards share a port", "17.4.8.6") }
        self.forwards.append(
            NATForward(transport: transport, outsidePort: outside, inside: inside, insidePort: port))
    }

    private static func isBehind(_ ipv4: Wire.SessionIPv4, _ inside: IPv4Address) -> Bool {
        if IPv4Address(ipv4.address) == inside { return true }
        return ipv4.framedRoutes.contains { route in
            IPv4Address(route.prefix).flatMap { IPv4Prefix($0, length: Int(route.prefixLength)) }?.contains(inside)
                ?? false
        }
    }
}
