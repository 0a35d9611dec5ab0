// SPDX-License-Identifier: Apache-2.0
// LCP's options (RFC 1661 6): MRU, Authentication-Protocol, Magic-Number. Field compression and character maps have
// no place in PPPoE (RFC 2516 7) and are rejected, with everything else; so is a client's wish to authenticate us.

struct LCPOptions: OptionRules, Equatable, Sendable {
    /// RFC 1661 6.1 sets no least MRU; below this nothing useful passes.
    static let leastMRU: UInt16 = 128
    static let defaultMRU: UInt16 = 1_500

    /// Longest packet of ours.
    let limit: UInt16
    /// 0: the peer rejected it.
    var magic: UInt32
    var localMRU: UInt16
    var offersMRU = true
    /// Asked for now; nil: none.
    var authentication: PPPAuthentication?
    /// Not refused yet, in order of preference.
    var methods: [PPPAuthentication]
    var peerMagic: UInt32 = 0
    var peerMRU: UInt16

    init(_ configuration: PPPConfiguration, magic: UInt32) {
        self.limit = configuration.mru
        self.magic = magic
        self.localMRU = configuration.mru
        self.methods = configuration.authentication
        self.authentication = configuration.authentication.first
        self.peerMRU = min(configuration.mru, Self.defaultMRU)
    }

    var request: [PPPOption] {
        var options: [PPPOption] = []
        if self.offersMRU { options.append(.number(PPPOptionType.mru, self.localMRU)) }
        if let method = self.authentication { options.append(PPPOption(PPPOptionType.authentication, method.option)) }
        if self.magic != 0 { options.append(.number(PPPOptionType.magic, self.magic)) }
        return options
    }

    /// Another number, the same every time for one number.
    var otherMagic: UInt32 {
        let other = (self.magic &+ 0x9e37_79b9) &* 0x85eb_ca6b
        return other == 0 || other == self.magic ? self.magic ^ 0x5a5a_5a5a : other
    }

    var betterMagic: PPPOption { .number(PPPOptionType.magic, self.otherMagic) }

    func verdict(on option: PPPOption) -> OptionVerdict {
        switch option.type {
        case PPPOptionType.mru:
            // RFC 2516 7: nothing above what PPPoE can carry.
            guard let value = option.uint16, (Self.leastMRU...max(Self.leastMRU, self.limit)).contains(value) else {
                return .nak(.number(PPPOptionType.mru, self.limit))
            }
            return .acceptable
        case PPPOptionType.magic:
            // RFC 1661 6.4: zero is none, ours is perhaps our own packet.
            guard let value = option.uint32, value != 0, value != self.magic else {
                return .nak(self.betterMagic)
            }
            return .acceptable
        default: return .reject
        }
    }

    func missing(from options: [PPPOption]) -> [PPPOption] { [] }

    /// The peer sent our own number: this may be our own packet.
    func sees(ownMagicIn options: [PPPOption]) -> Bool {
        self.magic != 0 && options.contains { $0.type == PPPOptionType.magic && $0.uint32 == self.magic }
    }

    /// What it would come to is what it has come to.
    func hasAgreed(to options: [PPPOption]) -> Bool {
        var other = self
        other.agree(to: options)
        return other == self
    }

    mutating func agree(to options: [PPPOption]) {
        let mru = options.first { $0.type == PPPOptionType.mru }?.uint16
        self.peerMRU = min(mru ?? Self.defaultMRU, self.limit)
        self.peerMagic = options.first { $0.type == PPPOptionType.magic }?.uint32 ?? 0
    }

    mutating func nakked(_ options: [PPPOption], times: UInt8, limit: UInt8) -> Bool {
        for option in options {
            switch option.type {
            case PPPOptionType.mru:
                if let value = option.uint16, value >= Self.leastMRU, value <= self.limit { self.localMRU = value }
                if times >= limit { self.offersMRU = false }
            case PPPOptionType.magic where self.magic != 0: self.magic = self.otherMagic
            case PPPOptionType.authentication:
                if !self.refuse(for: PPPAuthentication(option: option.value)) { return false }
            default: break  // RFC 1661 5.3: what we did not ask for we need not take
            }
        }
        return true
    }

    /// The peer's own choice if we offer it, else the next of ours.
    private mutating func refuse(for other: PPPAuthentication?) -> Bool {
        guard let current = self.authentication else { return true }
        self.methods.removeAll { $0 == current && $0 != other }
        if let other, self.methods.contains(other) {
            self.authentication = other
        } else {
            self.authentication = self.methods.first
        }
        return self.authentication != nil
    }

    mutating func rejected(_ options: [PPPOption]) -> Bool {
        for option in options {
            switch option.type {
            case PPPOptionType.mru: self.offersMRU = false
            case PPPOptionType.magic: self.magic = 0
            case PPPOptionType.authentication: return self.authentication == nil
            default: break
            }
        }
        return true
    }
}

extension PPPAuthentication {
    /// Value of the Authentication-Protocol option (RFC 1661 6.2, RFC 1994 3, RFC 2759 3).
    public var option: [UInt8] {
        switch self {
        case .pap: [0xc0, 0x23]
        case .chapMD5: [0xc2, 0x23, 5]
        case .msChapV2: [0xc2, 0x23, 0x81]
        }
    }

    /// nil unless it is one of ours.
    public init?(option: [UInt8]) {
        guard let method = Self.allCases.first(where: { $0.option == option }) else { return nil }
        self = method
    }
}
