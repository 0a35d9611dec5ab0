// SPDX-License-Identifier: Apache-2.0
// Building replies: RFC 2131 table 3, the parameter request list, RFC 6842 and RFC 3046 echoes.

import BNGCore

extension DHCPv4Message {
    /// A reply of `type` to `request`, options not yet filled in.
    private init(_ type: DHCPv4MessageType, to request: DHCPv4Message, serverIdentifier: IPv4Address) {
        self.init(
            op: .reply, xid: request.xid, flags: request.flags, relayAddress: request.relayAddress,
            clientMAC: request.clientMAC)
        self.options.append(DHCPv4OptionCode.messageType, [type.rawValue])
        self.options.append(DHCPv4OptionCode.serverIdentifier, serverIdentifier)
    }

    /// DHCPOFFER or DHCPACK with an address.
    static func lease(
        _ type: DHCPv4MessageType, to request: DHCPv4Message, address: IPv4Address, _ parameters: DHCPv4Parameters
    ) -> DHCPv4Message {
        var reply = DHCPv4Message(type, to: request, serverIdentifier: parameters.serverIdentifier)
        reply.yourAddress = address
        // Table 3: ciaddr of a DHCPACK is the request's, of a DHCPOFFER zero.
        if type == .ack { reply.clientAddress = request.clientAddress }
        reply.options.append(DHCPv4OptionCode.leaseTime, parameters.lease.value)
        reply.options.append(DHCPv4OptionCode.renewalTime, parameters.renewal.value)
        reply.options.append(DHCPv4OptionCode.rebindingTime, parameters.rebinding.value)
        reply.addRequestedOptions(request, parameters)
        reply.addEchoes(request)
        return reply
    }

    /// DHCPACK to a DHCPINFORM: no address, no times (RFC 2131 4.3.5).
    static func informAck(to request: DHCPv4Message, _ parameters: DHCPv4Parameters) -> DHCPv4Message {
        var reply = DHCPv4Message(.ack, to: request, serverIdentifier: parameters.serverIdentifier)
        reply.clientAddress = request.clientAddress
        reply.addRequestedOptions(request, parameters)
        reply.addEchoes(request)
        return reply
    }

    /// DHCPNAK: only type, server identifier and echoes (table 3); through a relay with the broadcast bit (RFC 2131 4.3.2).
    static func nak(to request: DHCPv4Message, serverIdentifier: IPv4Address) -> DHCPv4Message {
        var reply = DHCPv4Message(.nak, to: request, serverIdentifier: serverIdentifier)
        if request.relayAddress != .zero { reply.flags |= 0x8000 }
        reply.addEchoes(request)
        return reply
    }

    private mutating func addRequestedOptions(_ request: DHCPv4Message, _ parameters: DHCPv4Parameters) {
        var available: [DHCPv4Parameters.Option] = [
            .init(code: DHCPv4OptionCode.subnetMask, data: parameters.netmask.bytes),
            .init(code: DHCPv4OptionCode.router, data: parameters.gateway.bytes),
        ]
        available += parameters.options
        var room = Self.optionRoom(for: request)
        let wanted = request.options[DHCPv4OptionCode.parameterRequestList].map(Array.init)
        // RFC 2132 3.3: the mask comes before the router, whatever order was asked for; `available` starts with both.
        for option in available where wanted?.contains(option.code) ?? true {
            guard self.options[option.code] == nil, option.data.count + 2 <= room else { continue }
            room -= option.data.count + 2
            self.options.append(option.code, option.data)
        }
    }

    /// Bytes left for configured options in the message the client can take (option 57, at least 576 with IP and UDP heads).
    private static func optionRoom(for request: DHCPv4Message) -> Int {
        var maximum = 576
        if let value = request.options[DHCPv4OptionCode.maximumMessageSize], value.count == 2 {
            maximum = value.reduce(0) { $0 << 8 | Int($1) }
        }
        let echoes = [DHCPv4OptionCode.clientIdentifier, DHCPv4OptionCode.relayAgentInformation]
            .compactMap { request.options[$0]?.count }.reduce(0) { $0 + $1 + 2 }
        // 28 bytes of IP and UDP, 240 of BOOTP, 27 of type, server, lease and times, 1 of end.
        return min(max(maximum, 576), 1472) - 28 - 240 - 27 - 1 - echoes
    }

    private mutating func addEchoes(_ request: DHCPv4Message) {
        for code in [DHCPv4OptionCode.clientIdentifier, DHCPv4OptionCode.relayAgentInformation] {
            if let value = request.options[code] { self.options.append(code, value) }
        }
    }
}
