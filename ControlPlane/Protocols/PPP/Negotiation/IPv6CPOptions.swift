// SPDX-License-Identifier: Apache-2.0
// IPv6CP's option: interface identifiers, different and not zero (RFC 5072 4.1). Compression is rejected.

struct IPv6CPOptions: OptionRules, Equatable, Sendable {
    /// Ours; never 0.
    var local: UInt64
    var offersIdentifier = true
    /// 0: unknown.
    var peer: UInt64 = 0

    init(local: UInt64) { self.local = local }

    var request: [PPPOption] { self.offersIdentifier ? [.number(PPPOptionType.interfaceID, self.local)] : [] }

    /// What the client may be called; not ours, not zero.
    var suggestion: UInt64 { self.local == .max ? 1 : self.local + 1 }

    func verdict(on option: PPPOption) -> OptionVerdict {
        guard option.type == PPPOptionType.interfaceID else { return .reject }
        guard let value = option.uint64, value != 0, value != self.local else {
            return .nak(.number(PPPOptionType.interfaceID, self.suggestion))
        }
        return .acceptable
    }

    func missing(from options: [PPPOption]) -> [PPPOption] {
        options.contains { $0.type == PPPOptionType.interfaceID }
            ? [] : [.number(PPPOptionType.interfaceID, self.suggestion)]
    }

    mutating func agree(to options: [PPPOption]) {
        self.peer = options.first { $0.type == PPPOptionType.interfaceID }?.uint64 ?? 0
    }

    mutating func nakked(_ options: [PPPOption], times: UInt8, limit: UInt8) -> Bool {
        for option in options where option.type == PPPOptionType.interfaceID {
            if let value = option.uint64, value != 0, value != self.peer { self.local = value }
            if times >= limit { self.offersIdentifier = false }
        }
        return true
    }

    mutating func rejected(_ options: [PPPOption]) -> Bool {
        if options.contains(where: { $0.type == PPPOptionType.interfaceID }) { self.offersIdentifier = false }
        return true
    }
}
